/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Another reader and writer of cpio archives, to compare with: libarchive's. It
 * shares nothing with the project, and this header nothing with libarchive's.
 */
#ifndef FUZZ_PEER_H
#define FUZZ_PEER_H

#include <cstdint>
#include <string>
#include <vector>

namespace peer {

struct Entry {
	std::string name;
	std::string target; /* of a symbolic link */
	std::string data;
	uint32_t mode = 0; /* with the type */
	uint32_t uid = 0;
	uint32_t gid = 0;
	uint32_t mtime = 0;
	uint32_t ino = 0;
	uint32_t nlink = 1;
	uint32_t rdev_major = 0;
	uint32_t rdev_minor = 0;
	/* When read: another name of an earlier entry's file, which has the data. */
	bool is_other_name = false;
};

struct Archive {
	std::vector<Entry> entries; /* up to the first trailer */
	bool accepted = false;	    /* without so much as a warning */
};

Archive read(const std::vector<uint8_t> &bytes);

/* A "newc" archive of the entries, with its trailer; empty when it refuses one. */
std::vector<uint8_t> write(const std::vector<Entry> &entries);

} // namespace peer

#endif
