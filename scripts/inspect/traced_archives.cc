// SPDX-License-Identifier: GPL-2.0
// What unpacks archives and looks into them, with a trace around it.

#include "inspect/kernel.h"
#include "inspect/trace.h"

namespace inspect {
namespace {

namespace rootfs = initrd::rootfs;

using initrd::Bytes;
using initrd::Region;
using initrd::Result;

Result<void> unpack(Bytes image, rootfs::Unpacked &report, size_t base)
{
	Trace &trace = *Trace::active();

	trace.begin_unpack(image);
	auto unpacked = rootfs::unpack(image, report, base);

	trace.end_unpack(report, unpacked.ok());
	return unpacked;
}

Result<void> unpack_region(Region &image, rootfs::Unpacked &report, size_t base)
{
	Trace &trace = *Trace::active();

	trace.begin_unpack(image.bytes());
	auto unpacked = rootfs::unpack(image, report, base);

	trace.end_unpack(report, unpacked.ok());
	return unpacked;
}

rootfs::Contents look_into(Bytes image, const char *init)
{
	const Look look;

	return rootfs::look_into(image, init);
}

bool holds_archive(Bytes image)
{
	const Look look;

	return rootfs::holds_archive(image);
}

} // namespace

const initrd::rootfs::Archives kTracedArchives = {unpack, unpack_region, look_into, holds_archive};

} // namespace inspect
