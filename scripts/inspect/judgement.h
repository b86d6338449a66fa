/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside file_systems.h: what is judged of one file system, and by whom.
 */
#ifndef INSPECT_JUDGEMENT_H
#define INSPECT_JUDGEMENT_H

#include <cstdio>
#include <string>
#include <vector>

#include "initrd/support/bytes.h"
#include "inspect/config.h"
#include "inspect/file_systems.h"

namespace inspect {

inline constexpr size_t kSuperblock = 1024;

/* What is found out about one image. */
class Judgement {
public:
	Judgement(initrd::Bytes image, const Config &config) : image(image), config(config) {}

	/* It needs this option, which has no CONFIG_. */
	void need(const std::string &option)
	{
		if (!config.may_be_built_in(option))
			found.push_back({"CONFIG_" + option, "", ""});
	}
	void refuse(const std::string &reason, const std::string &advice = "")
	{
		found.push_back({"", reason, advice});
	}
	void need_for_writing(const std::string &option)
	{
		if (!config.may_be_built_in(option))
			found.push_back({"CONFIG_" + option, "", "", true});
	}
	void refuse_writing(const std::string &reason) { found.push_back({"", reason, "", true}); }
	/* Blocks of 2^bits bytes. */
	void refuse_large_blocks(u32 bits, bool are_taken)
	{
		if (bits >= 32 || u64{1} << bits > config.page_size())
			if (!are_taken)
				refuse("its blocks of " +
					       (bits < 32 ? std::to_string(u64{1} << bits) :
							    "2^" + std::to_string(bits)) +
					       " bytes are larger than a page, which has " +
					       std::to_string(config.page_size()),
				       "make it with blocks of " +
					       std::to_string(config.page_size()) +
					       " bytes, or smaller ones");
	}
	/* Whether the kernel is of this series or a newer one, as far as is known. */
	bool is_since(u32 series) const { return config.series() >= series; }

	const initrd::Bytes image;
	const Config &config;
	std::vector<Obstacle> found;
};

inline std::string hex(u32 value)
{
	char text[16];

	std::snprintf(text, sizeof(text), "%#x", value);
	return text;
}

/* How a file system may be compressed, and the option that it takes; or null. */
struct Algorithm {
	const char *name;
	const char *option;
};

/* Bits of a superblock, and what they are. */
struct Feature {
	u32 bit;
	const char *name;
};

template <size_t N> std::string names_of(u32 bits, const Feature (&features)[N])
{
	std::string names;

	for (const Feature &feature : features) {
		if (bits & feature.bit)
			names += (names.empty() ? "" : ", ") + std::string(feature.name);
		bits &= ~feature.bit;
	}
	if (bits)
		names += (names.empty() ? "" : ", ") + hex(bits);
	return names;
}

/* ext.cc: ext2, ext3 and ext4; and what the kernel mounts one as. */
void judge_ext(Judgement &judgement);
std::string ext_type(initrd::Bytes image, const Config &config);
/* erofs.cc */
void judge_erofs(Judgement &judgement);

} // namespace inspect

#endif
