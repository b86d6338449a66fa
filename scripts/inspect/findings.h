/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Judges a boot: what would go wrong, and what somebody should know.
 */
#ifndef INSPECT_FINDINGS_H
#define INSPECT_FINDINGS_H

#include "inspect/machine.h"

namespace inspect {

/*
 * Adds the findings to the report, and the program that the kernel runs first. The
 * machine has booted; the report's outcome, segments and entries are known.
 */
void judge(Machine &machine, const Request &request, Report &report);

/* The entries of an archive: names, and what the kernel does not make. */
void judge_entries(const Trace &trace, Report &report);

/* The root that the kernel mounts, or does not, and the program in it. */
void judge_root(Machine &machine, const Request &request, Report &report);

} // namespace inspect

#endif
