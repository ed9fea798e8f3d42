#include "net/h2_budget.h"

#include "base/limits.h"

void h2_budget_init(struct h2_budget *budget)
{
    *budget = (struct h2_budget){.left = SL_H2_FLOOD_BURST};
}

bool h2_budget_charge(struct h2_budget *budget)
{
    if (budget->left == 0)
        return false;
    budget->left--;
    return true;
}

void h2_budget_earn(struct h2_budget *budget)
{
    if (budget->left < SL_H2_FLOOD_BURST)
        budget->left++;
}

void h2_budget_tick(struct h2_budget *budget, sl_nanos now)
{
    const sl_nanos each = SL_NANOS_PER_S / SL_H2_FLOOD_PER_S;
    sl_nanos       earned;

    if (!budget->ticked || now < budget->at) {
        budget->ticked = true;
        budget->at = now;
        return;
    }
    earned = (now - budget->at) / each;
    budget->at += earned * each; /* the fraction stays for the next tick */
    if (earned > SL_H2_FLOOD_BURST - budget->left)
        budget->left = SL_H2_FLOOD_BURST;
    else
        budget->left += (uint32_t)earned;
}
