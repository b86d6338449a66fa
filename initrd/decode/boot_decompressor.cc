// SPDX-License-Identifier: GPL-2.0

#include "initrd/decode/boot_decompressor.h"

namespace initrd {
namespace {

// The one decompression under way; boot has one, and KUnit runs one at a time.
struct Run {
	Sink *out;
	size_t in_size;
	const char *reason;
	Error error;
};

constinit Run run = {nullptr, 0, nullptr, {0, nullptr}};

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

// Called at the input's end, and the input is not to be written to: what is
// read from here on is the input again, and is not passed on.
extern "C" long boot_decompressor_fill(void *, unsigned long)
{
	if (!run.error.code)
		run.error = Error{kInvalid, "truncated", run.in_size};
	return static_cast<long>(run.in_size);
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

Result<size_t> decode_with(BootDecompressor *decompress, Bytes in, Sink &out, AtEnd at_end)
{
	constexpr size_t kLongest = static_cast<size_t>(~0ul >> 1);
	long used = 0;

	if (in.size() > kLongest)
		return Error{kTooBig, "too large for its decompressor"};
	run = Run{&out, in.size(), nullptr, {0, nullptr}};
	// SAFETY: a decompress_fn reads its input only; the type is historical.
	const int status =
		decompress(const_cast<u8 *>(in.data()), static_cast<long>(in.size()),
			   at_end == AtEnd::kReadAgain ? boot_decompressor_fill : nullptr,
			   boot_decompressor_flush, nullptr, &used, boot_decompressor_error);
	const u64 offset = used > 0 ? min(static_cast<size_t>(used), in.size()) : 0;

	if (run.error.code)
		return run.error;
	if (run.reason)
		return Error{kInvalid, run.reason, offset};
	if (status || used <= 0 || static_cast<size_t>(used) > in.size())
		return Error{kInvalid, "decompressor failed", offset};
	return static_cast<size_t>(used);
}

} // namespace initrd
