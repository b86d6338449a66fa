/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is found out about one image and one command line. text.cc prints it for
 * people, json.cc for programs; initrd-inspect(1) says what each field means.
 */
#ifndef INSPECT_REPORT_H
#define INSPECT_REPORT_H

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "initrd/hosted/files.h"
#include "initrd/support/types.h"

namespace inspect {

/* One entry of an archive, or one file of what came of it. Sizes are in bytes. */
struct Entry {
	std::string name;
	std::string target; /* of a symbolic link */
	u32 mode = 0;	    /* with the type */
	u32 uid = 0;
	u32 gid = 0;
	u32 nlink = 1;
	s64 mtime = 0; /* seconds since 1970 */
	u64 size = 0;
	u32 major = 0; /* of a device */
	u32 minor = 0;
	size_t segment = 0; /* number of the segment that it is in */
};

/* What becomes of a stretch of the image. */
enum class Use {
	kNone,
	kUnpacked,  /* into the root file system */
	kLoaded,    /* into /dev/ram0 */
	kFile,	    /* into /initrd.image */
	kPreserved, /* in /dev/initrd */
};

/* A stretch of the image: plain, or compressed in one way. NULs are between them. */
struct Segment {
	size_t offset = 0;
	size_t size = 0;
	u64 out = 0;		/* what comes out of it */
	std::string compressor; /* "" for none */
	std::string format;	/* of what comes out, by its table name; "" when unknown */
	size_t streams = 0;	/* members or frames */
	bool whole = true;	/* it was read to its end */
	Use use = Use::kNone;
};

/* A line of the kernel's log, with its level. */
struct Message {
	int level = 0;
	std::string text;
};

enum class Severity { kNote, kWarning, kError };

/* Something that somebody should know. */
struct Finding {
	Severity severity = Severity::kNote;
	std::string code; /* a word that does not change from version to version */
	std::string text;
	std::string advice; /* what to do; may be "" */
};

/* What became of the boot loader's bytes. */
enum class Outcome {
	kNothing,   /* there were none */
	kIgnored,   /* the kernel does not look at them */
	kArchive,   /* unpacked into the root file system */
	kDisk,	    /* loaded into /dev/ram0 */
	kPreserved, /* in /dev/initrd, as they are */
	kFile,	    /* in /initrd.image, for an init that is built in */
	kUseless,   /* refused */
};

/* The image in the RAM disk, by the kernel's own account. */
struct Load {
	std::string format; /* such as "ext2", or "gzip+ext2" */
	std::string how;    /* adopted, moved, copied or decoded */
	u64 in = 0;
	u64 out = 0;
	u64 copied = 0;
};

struct Report {
	u64 size = 0;		       /* of the image as it is given */
	std::string append;	       /* the kernel's whole command line */
	std::optional<u64> bootconfig; /* its size, where one was cut off */
	Outcome outcome = Outcome::kNothing;
	std::vector<Segment> segments;
	std::optional<Load> load;
	std::string file_system; /* what is in the RAM disk, by its table name; or "" */
	u64 claimed = 0;	 /* its size by its superblock, 0: not known */
	std::string program;	 /* that the kernel runs first, "" when that is not known */
	std::string program_in;	 /* archive, image, or the root device's name */
	u64 memory_peak = 0;	 /* with the image, without the kernel */
	u64 memory_end = 0;
	u64 memory_least = 0; /* the machine's, where --memory is too little; 0: not known */
	std::vector<Message> messages;
	std::vector<std::string> steps;
	std::vector<Finding> findings;
	/* What is in the image: of an archive its own entries, in their order. */
	std::vector<Entry> entries;
	bool has_entries = false; /* false where nobody could look */
	/* The root file system as the kernel has it then, if an archive was unpacked. */
	std::shared_ptr<const host::Node> tree;

	void add(Severity severity, std::string code, std::string text, std::string advice = "");
	/* Whether something of this severity or above was found. */
	bool has(Severity severity) const;
	/* Whether a message of the kernel's has these words in it. */
	bool says(const char *words) const;
};

/* Their names in a report. */
const char *name_of(Severity severity);
const char *name_of(Outcome outcome);
/* Null for kNone. */
const char *name_of(Use use);

/* A name or message as a line of text: what would spoil it, and \, is written as \ooo. */
std::string printable(const std::string &text);

} // namespace inspect

#endif
