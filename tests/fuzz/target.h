/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all fuzz targets have in common. A target defines try_input(), and says
 * what must hold with GoogleTest's EXPECT_ and ASSERT_: the first that does not
 * ends the process, so that libFuzzer keeps the input.
 */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include <fuzzer/FuzzedDataProvider.h>

#include "fixture.h"

namespace fuzz {

/*
 * One input, in a fresh world; afterwards nothing may be left of it (pages,
 * memory, codecs, open files), and nothing may have been done wrong to the seam.
 */
void try_input(FuzzedDataProvider &input);

/* All bytes that are left, in a block of their exact size. */
inline host::Exact rest_of(FuzzedDataProvider &input)
{
	return host::Exact(input.ConsumeRemainingBytes<u8>());
}

} // namespace fuzz

#endif
