/* The drainer as it is: see drainer_planted.c. */

#include "sim/drainer_world.h"

const bool world_is_planted = false;
