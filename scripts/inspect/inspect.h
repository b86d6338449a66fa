/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The inspection: bytes and a command line → a report.
 */
#ifndef INSPECT_INSPECT_H
#define INSPECT_INSPECT_H

#include <functional>
#include <memory>
#include <string>

#include "initrd/support/bytes.h"
#include "inspect/config.h"
#include "inspect/inside.h"
#include "inspect/report.h"

namespace inspect {

/* What is known besides the image. Sizes are in bytes. */
struct Request {
	std::string append; /* the command line by the boot loader */
	Config config;
	u64 memory = 0; /* the machine's; 0: not known */
	/* What a kernel has of that for itself, with its buffers and its programs: that of
	   qemu/boot has 23 MiB. */
	u64 kernel_memory = u64{24} << 20;
	u64 limit = u64{2} << 30; /* the most that is taken here, where memory is not known */
	u64 load_address = 0;	  /* where the boot loader puts the image */
	initrd::Bytes built_in;	  /* the archive in the kernel; empty: the usual one */
	bool list = false;	  /* the files of a file system image are wanted, too */
	/*
	 * Looks into a file system image: its bytes, its type by the table of formats.
	 * Null when it does not know how to; it may add to the report why. Empty: nobody
	 * looks.
	 */
	std::function<std::unique_ptr<Inside>(const std::vector<u8> &disk, const std::string &type,
					      Report &report)>
		look_inside;
};

/*
 * What the kernel would do with `image`, any bytes at all. The boot path itself is run
 * (initrd/boot/boot.cc), in the world of the host tests' seam, which is reset before and
 * after: nothing is left but the report. It starts no program (that is look_inside's),
 * writes no file, prints nothing and does not exit. Not reentrant: there is one world.
 *
 * For a fuzzer: link the library `inspection` of scripts/inspect/CMakeLists.txt, built
 * with INSPECT_FLAGS="-fsanitize=fuzzer-no-link,address,undefined"; split its input
 * into a command line and an image, set `limit` to some 64 MiB and leave look_inside
 * empty. What must hold beyond "no crash": host::complaints() is empty (a complaint is
 * the finding "internal", too), and two calls with the same arguments give the same
 * json_of() (json.h).
 */
Report inspect(initrd::Bytes image, const Request &request);

} // namespace inspect

#endif
