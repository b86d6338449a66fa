// SPDX-License-Identifier: GPL-2.0

#include "initrd/formats/boot_decompressor.h"

namespace initrd {
namespace {

// The one decompression under way; boot has one, and KUnit runs one at a time.
struct Run {
	Bytes in;
	Sink *out;
	const char *truncated;
	// The piece of `in` that was handed over last.
	size_t piece_start = 0;
	size_t piece_size = 0;
	const char *reason = nullptr;
	Error error = {0, nullptr};
};

constinit Run run = {};

Result<void> pass_on(Bytes window)
{
	while (!window.empty()) {
		MutableBytes room = TRY(run.out->lend(min(window.size(), kStreamRoom)));
		const size_t n = copy(room, window);

		TRY(run.out->commit(n));
		window = window.skip(n);
	}
	return {};
}

extern "C" long boot_decompressor_fill(void *buffer, unsigned long size)
{
	const size_t next = run.piece_start + run.piece_size;

	if (next == run.in.size()) {
		if (!run.error.code)
			run.error = Error{kNoData, run.truncated, run.in.size()};
		// What the buffer holds is read again then, and not passed on.
		return run.piece_size ? static_cast<long>(run.piece_size) : -1;
	}
	// SAFETY: the decompressor's own buffer of that size.
	run.piece_size = copy(MutableBytes(static_cast<u8 *>(buffer), size), run.in.skip(next));
	run.piece_start = next;
	run.out->consumed(next);
	return static_cast<long>(run.piece_size);
}

extern "C" long boot_decompressor_flush(void *window, unsigned long size)
{
	// Nothing that comes after a failure is data.
	if (run.reason || run.error.code)
		return -1;
	// SAFETY: the decompressor's own window, valid during this call.
	auto passed = pass_on(Bytes(static_cast<const u8 *>(window), size));

	if (passed)
		return static_cast<long>(size);
	run.error = passed.error();
	return -1;
}

// NOLINTNEXTLINE(readability-non-const-parameter): the kernel's type
extern "C" void boot_decompressor_error(char *reason)
{
	if (!run.reason)
		run.reason = reason;
}

} // namespace

Result<size_t> decode_with(BootDecompressor *decompress, Bytes in, Sink &out, const char *truncated)
{
	long used = 0;

	run = {.in = in, .out = &out, .truncated = truncated};
	const int status = decompress(nullptr, 0, boot_decompressor_fill, boot_decompressor_flush,
				      nullptr, &used, boot_decompressor_error);
	// What it says that it has used is of the last piece.
	const size_t offset = run.piece_start +
			      (used > 0 ? min(static_cast<size_t>(used), run.piece_size) : 0);

	if (run.error.code)
		return run.error;
	if (run.reason)
		return Error{kInvalid, run.reason, offset};
	if (status || used <= 0)
		return Error{kInvalid, "decompressor failed", offset};
	return offset;
}

} // namespace initrd
