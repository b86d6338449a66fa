/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A cpio::Handler that writes down what it is given.
 */
#ifndef HOST_RECORDER_H
#define HOST_RECORDER_H

#include "fixture.h"
#include "initrd/formats/cpio_reader.h"

namespace host {

class Recorder final : public initrd::cpio::Handler {
public:
	struct Got {
		initrd::cpio::Entry header; /* its strings are gone: see below */
		std::string name;
		std::string target;
		std::string data;
		bool finished = false;
		bool abandoned = false;
	};

	virtual ~Recorder() = default;

	initrd::Result<bool> begin(const initrd::cpio::Entry &entry) override
	{
		entries.push_back({entry, entry.name, entry.target, "", false, false});
		return entry.name != unwanted;
	}

	initrd::Result<void> data(initrd::Bytes piece) override
	{
		EXPECT_FALSE(piece.empty());
		if (entries.back().data.size() + piece.size() > room)
			return initrd::Error{initrd::kNoSpace, "write error"};
		entries.back().data.append(piece.begin(), piece.end());
		return {};
	}

	initrd::Result<void> finish() override
	{
		EXPECT_FALSE(entries.back().finished || entries.back().abandoned);
		entries.back().finished = true;
		return {};
	}

	void abandon() override
	{
		EXPECT_FALSE(entries.back().finished || entries.back().abandoned);
		entries.back().abandoned = true;
	}

	void trailer() override { trailers++; }

	std::vector<Got> entries;
	size_t trailers = 0;
	std::string unwanted;	  /* begin() says false for this name */
	size_t room = ~size_t{0}; /* bytes in one file */

	/* Of the reader, after read_chunks(). */
	u64 headers = 0;
	u64 offset = 0;
	u64 error_offset = 0;
	initrd::cpio::Untrailed untrailed; /* its name is gone, and here: */
	std::string untrailed_entry;
	Data rest; /* what feed() did not take */
};

/*
 * Reads chunks, each in a block of its exact size, and ends the input. Returns
 * the error's reason, "" when there was none.
 */
inline std::string read_chunks(Recorder &got, const std::vector<Data> &chunks,
			       initrd::cpio::Hex hex = initrd::cpio::Hex::kLenient)
{
	auto created = initrd::cpio::Reader::create(got, hex);
	initrd::cpio::Reader &reader = created.value();
	std::string reason;

	for (size_t i = 0; i < chunks.size() && reason.empty(); i++) {
		const Exact chunk(chunks[i]);
		auto taken = reader.feed(chunk.bytes());

		if (!taken) {
			reason = taken.error().reason;
			got.error_offset = taken.error().offset;
			(void)reader.end().ok();
		} else if (taken.value() < chunks[i].size()) {
			EXPECT_TRUE(reader.at_boundary());
			for (size_t at = taken.value(); at < chunks[i].size(); at++)
				got.rest.push_back(chunks[i][at]);
			for (i++; i < chunks.size(); i++)
				got.rest = got.rest + chunks[i];
		}
	}
	if (reason.empty()) {
		auto ended = reader.end();

		if (!ended) {
			reason = ended.error().reason;
			got.error_offset = ended.error().offset;
		}
	}
	got.headers = reader.headers();
	got.untrailed = reader.untrailed();
	got.untrailed_entry = reader.untrailed().entry;
	got.offset = reader.offset();
	return reason;
}

} // namespace host

#endif
