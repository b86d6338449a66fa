/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The whole image, segment by segment: what became of each, and what there is besides.
 */
#ifndef INSPECT_SEGMENTS_H
#define INSPECT_SEGMENTS_H

#include <vector>

#include "initrd/support/bytes.h"
#include "inspect/report.h"

namespace inspect {

/*
 * What lies between `from` and `end`, told apart by what it begins with: archives, file
 * systems, boot configurations, compressed data, junk. Decodes what it has to.
 */
std::vector<Segment> tell_apart(initrd::Bytes image, size_t from, size_t end, Use use = Use::kNone);

/* `used`, by their offsets, and what there is between and behind them. */
std::vector<Segment> all_segments(initrd::Bytes image, std::vector<Segment> used);

} // namespace inspect

#endif
