/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the formats' own libraries make of compressed data, framing and all.
 */
#ifndef FUZZ_REFERENCE_H
#define FUZZ_REFERENCE_H

#include <optional>
#include <string>

#include "fixture.h"

namespace fuzz {

/*
 * The first member (stream, frame) at the start of `image`, by a library that reads
 * the whole format; nothing where there is none, or the library refuses it.
 */
std::optional<host::Data> reference(const std::string &format, const host::Data &image);

} // namespace fuzz

#endif
