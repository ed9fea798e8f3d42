#include <charconv>

extern "C" {
#include "binlog/float_text.h"
}

namespace
{

/* std::to_chars writes the shortest digits that lead back to the number, of those the nearest to
 * it: "-1.2345e+06". It cannot fail: sign, digits, point and exponent take at most 24 bytes. */
template <typename Float> void take_apart(Float value, struct float_digits *out)
{
    char                       text[32];
    const std::to_chars_result end =
        std::to_chars(text, text + sizeof text, value, std::chars_format::scientific);
    const char *at = text;

    *out = {};
    if (*at == '-') {
        out->is_negative = true;
        at++;
    }
    for (; at < end.ptr && *at != 'e'; at++) {
        if (*at != '.' && out->count < FLOAT_DIGITS_MAX)
            out->digits[out->count++] = *at;
    }
    at++;
    if (*at == '+')
        at++;
    std::from_chars(at, end.ptr, out->exponent);
}

} // namespace

extern "C" void float_digits_of(double value, struct float_digits *out)
{
    take_apart(value, out);
}

extern "C" void float_digits_of_single(float value, struct float_digits *out)
{
    take_apart(value, out);
}
