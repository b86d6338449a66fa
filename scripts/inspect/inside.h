/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Looks into a file system image without mounting it, with the tools of its file
 * system, where they are installed.
 */
#ifndef INSPECT_INSIDE_H
#define INSPECT_INSIDE_H

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "inspect/programs.h"
#include "inspect/report.h"
#include "inspect/spawn.h"

namespace inspect {

class Inside : public Files {
public:
	/* Follows links, inside the image only. */
	std::optional<File> find(const std::string &path) override;
	/* All that is in it, folder by folder; false when that is not all. */
	virtual bool list(std::vector<Entry> &entries) = 0;
	/* What of the budget was spent, so that nothing more is found; or "". */
	const std::string &spent() const { return budget_.spent(); }

protected:
	/* The file of this name itself, without what is in it. Links before it are followed. */
	virtual std::optional<File> look_up(const std::string &path) = 0;
	/* What it begins with. */
	virtual std::vector<u8> read_head(const std::string &path) = 0;
	/* Whether one entry more than `count` is not one too many; counts it. */
	bool may_keep(const Entry &entry, size_t count);

	Budget budget_;

private:
	size_t kept_ = 0; /* bytes of entries */
	std::optional<File> look_up_once(const std::string &path);
	std::map<std::string, std::optional<File>> known_;
};

/* Whether a tool takes this name, or path, as it is, in its command line or a line of its input. */
bool is_plain(const std::string &path);

/*
 * With debugfs, unsquashfs or whatever else looks into file systems of this type; null,
 * and a note in the report, when there is none.
 */
std::unique_ptr<Inside> look_inside(const std::vector<u8> &disk, const std::string &type,
				    Report &report);

} // namespace inspect

#endif
