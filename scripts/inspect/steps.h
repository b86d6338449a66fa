/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The boot in words, step by step.
 */
#ifndef INSPECT_STEPS_H
#define INSPECT_STEPS_H

#include "inspect/machine.h"

namespace inspect {

/* Fills in the report's steps; all else in it is known. */
void tell_steps(const Machine &machine, const Request &request, Report &report);

} // namespace inspect

#endif
