// SPDX-License-Identifier: GPL-2.0
// One .lzma file (LZMA_alone); the format has no checksum.

#include "initrd/decode/boot_decompressor.h"
#include "initrd/decode/window.h"

extern "C" BootDecompressor unlzma;

namespace initrd {
namespace {

// Properties, dictionary's size, plain size: 5 + 8 bytes.
constexpr size_t kDictionaryAt = 1;
constexpr size_t kPlainSizeAt = 5;
constexpr u64 kPlainSizeUnknown = ~0ull;
constexpr const char *kTruncated = "truncated lzma data";

} // namespace

Result<size_t> decode_lzma(Bytes in, Sink &out)
{
	if (!in.has(0, kPlainSizeAt + 8))
		return Error{kNoData, kTruncated, in.size()};

	const u64 dictionary = min(u64{load_le32(in, kDictionaryAt)}, load_le64(in, kPlainSizeAt));

	TRY(expect_window(dictionary, "out of memory for the dictionary of lzma data",
			  kDictionaryAt));
	auto stream = decode_with(unlzma, in, out, kTruncated);

	if (!stream && stream.error().code == kNoData) {
		Error truncated = stream.error();
		const u64 plain_size = load_le64(in, kPlainSizeAt);

		truncated.expected = plain_size == kPlainSizeUnknown ? 0 : plain_size;
		return truncated;
	}
	return stream;
}

} // namespace initrd
