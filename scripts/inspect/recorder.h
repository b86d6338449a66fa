/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Archives as the kernel's reader reads them: their entries, and where each ends.
 */
#ifndef INSPECT_RECORDER_H
#define INSPECT_RECORDER_H

#include <vector>

#include "initrd/formats/cpio_reader.h"
#include "inspect/report.h"

namespace inspect {

/* A reader as strict as the kernel's. */
initrd::Result<initrd::cpio::Reader> reader_for(initrd::cpio::Handler &handler);

/* Writes down the entries of archives, with those that the reader leaves out. */
class Recorder final : public initrd::cpio::Handler {
public:
	initrd::Result<bool> begin(const initrd::cpio::Entry &entry) override;
	initrd::Result<void> data(initrd::Bytes) override { return {}; }
	initrd::Result<void> finish() override { return {}; }
	void abandon() override {}
	void trailer() override;

	/*
	 * Reads the archives between `from` and `end` of the image that are not compressed,
	 * with boot configurations between them, and adds each to the segments; so many of
	 * their bytes are taken. Says nothing.
	 */
	size_t read_plain(initrd::Bytes image, size_t from, size_t end,
			  std::vector<Segment> &segments);
	/* The next bytes of what is read; false where they are no part of an archive. */
	bool feed(initrd::Bytes piece);

	std::vector<Entry> entries;
	u64 skipped = 0;   /* headers of which the reader makes no entry */
	bool full = false; /* there were more entries than are kept */
	/* Of what is read. */
	initrd::cpio::Reader *reader = nullptr;
	size_t segment = 0;

private:
	void count_skipped();
	size_t read_to(initrd::Bytes image, size_t from, size_t end,
		       std::vector<Segment> &segments);

	u64 seen_ = 0;		   /* headers */
	size_t text_ = 0;	   /* bytes of names and targets */
	size_t stopped_at_ = 0;	   /* what was fed last, as far as it was taken */
	bool plain_ = false;	   /* archives are told apart */
	std::vector<size_t> ends_; /* of those archives that have one */
};

} // namespace inspect

#endif
