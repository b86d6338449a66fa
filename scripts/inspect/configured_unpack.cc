// SPDX-License-Identifier: GPL-2.0
// unpack.cc as it is, and in front of it what tells a trace which archives are unpacked,
// and what is only looked at.

#include "initrd/formats/cpio_reader.h"
#include "initrd/formats/decoder.h"
#include "initrd/formats/formats.h"
#include "initrd/image/reading.h"
#include "initrd/formats/segments.h"
#include "initrd/rootfs/writer.h"

#define unpack unpack_unseen
#define look_into look_into_unseen
#define holds_archive holds_archive_unseen
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "initrd/rootfs/unpack.cc"
#undef unpack
#undef look_into
#undef holds_archive

#include "inspect/trace.h"

namespace initrd::rootfs {

// As unpack.h declares them.
Result<void> unpack(Bytes image, Unpacked &report, size_t base);
Result<void> unpack(Region &image, Unpacked &report, size_t base);
Contents look_into(Bytes image, const char *init);
bool holds_archive(Bytes image);

Result<void> unpack(Bytes image, Unpacked &report, size_t base)
{
	inspect::Trace &trace = *inspect::Trace::active();

	trace.begin_unpack(image);
	auto unpacked = unpack_unseen(image, report, base);

	trace.end_unpack(report, unpacked.ok());
	return unpacked;
}

Result<void> unpack(Region &image, Unpacked &report, size_t base)
{
	inspect::Trace &trace = *inspect::Trace::active();

	trace.begin_unpack(image.bytes());
	auto unpacked = unpack_unseen(image, report, base);

	trace.end_unpack(report, unpacked.ok());
	return unpacked;
}

Contents look_into(Bytes image, const char *init)
{
	const inspect::Look look;

	return look_into_unseen(image, init);
}

bool holds_archive(Bytes image)
{
	const inspect::Look look;

	return holds_archive_unseen(image);
}

} // namespace initrd::rootfs
