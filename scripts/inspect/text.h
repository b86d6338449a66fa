/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A report for people.
 */
#ifndef INSPECT_TEXT_H
#define INSPECT_TEXT_H

#include <string>

#include "inspect/report.h"

namespace inspect {

/* What of it, and how. */
struct Style {
	bool colour = false;
	bool list = false;
};

std::string text_of(const Report &report, const std::string &image, const Style &style);

/* "12.3 MiB", "4 KiB", "17 bytes". */
std::string size_in_words(u64 bytes);

} // namespace inspect

#endif
