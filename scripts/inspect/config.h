/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A kernel's .config: what is built in, what is a module.
 */
#ifndef INSPECT_CONFIG_H
#define INSPECT_CONFIG_H

#include <map>
#include <string>
#include <string_view>

#include "initrd/support/types.h"

namespace inspect {

/* Options are named without "CONFIG_". */
class Config {
public:
	/* A configuration that nobody knows: it may have everything. */
	Config() = default;
	/* What is in the text of a .config. */
	static Config parse(std::string_view text);

	bool known() const { return known_; }
	/* Built in, or a module. False, as all below, where the configuration is unknown. */
	bool has(const std::string &option) const;
	bool built_in(const std::string &option) const;
	/* A string's content, or a number; "" where there is none. */
	std::string text(const std::string &option) const;

	/* Such as 6012 for 6.12, by the comment in its first lines; 0: not known. */
	u32 series() const { return series_; }
	/* Bytes of a page; 4096 where nothing says otherwise. */
	u64 page_size() const;

	/* Whether nothing says that it is not so. */
	bool may_have(const std::string &option) const { return !known_ || has(option); }
	bool may_be_built_in(const std::string &option) const
	{
		return !known_ || built_in(option);
	}

private:
	bool known_ = false;
	u32 series_ = 0;
	std::map<std::string, std::string> values_;
};

} // namespace inspect

#endif
