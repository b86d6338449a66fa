/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Compressors for the tests, one for each decoder, framed as the tools do it.
 */
#ifndef HOST_COMPRESS_H
#define HOST_COMPRESS_H

#include "fixture.h"
#include <ostream>

#include "initrd/formats/decoder.h"

namespace initrd {

/* The decoders; the project itself reaches them through its table of formats. */
Result<size_t> decode_gzip(Bytes in, Sink &out);
Result<size_t> decode_bzip2(Bytes in, Sink &out);
Result<size_t> decode_lzma(Bytes in, Sink &out);
Result<size_t> decode_xz(Bytes in, Sink &out);
Result<size_t> decode_lzo(Bytes in, Sink &out);
Result<size_t> decode_lz4(Bytes in, Sink &out);
Result<size_t> decode_zstd(Bytes in, Sink &out);

} // namespace initrd

namespace host {

struct Method {
	const char *name;
	initrd::Decoder decode;
	Data (*compress)(const Data &plain);
	/* A damaged byte is always found. */
	bool checked;
	/* The end can be told from a cut between two blocks. */
	bool ended;
};

/* For the names of tests. */
inline void PrintTo(const Method &method, std::ostream *out)
{
	*out << method.name;
}

extern const Method kMethods[7];

const Method &method(const std::string &name);

Data gzip(const Data &plain);
/* Not compressed: of blocks that are stored. */
Data gzip_stored(const Data &plain);
/* With every optional field that RFC 1952 knows. */
Data gzip_with_all_fields(const Data &plain);
Data bzip2(const Data &plain);
Data lzma(const Data &plain);
Data xz(const Data &plain);
Data xz_with_crc64(const Data &plain);
Data xz_with_sha256(const Data &plain);
/* With checksums of both kinds of both forms. */
Data lzo(const Data &plain);
/* With 0x0800 among the flags, as `lzop --filter` makes it. */
Data lzo_with_flags(const Data &plain, u32 flags, u16 version, u32 filter = 1);
Data lz4(const Data &plain);
Data zstd(const Data &plain);
Data zstd_without_checksum(const Data &plain);
/* From a pipe: its size is not in the header, its window is. */
Data zstd_streamed(const Data &plain);

/* In parts that can be decoded without each other. */

/* Blocks of `block` bytes. */
Data xz_in_blocks(const Data &plain, size_t block, bool crc64 = false);
/* Frames of `frame` bytes that have it in their header. */
Data zstd_in_frames(const Data &plain, size_t frame);
/* The same without, each with a skippable one in front, as pzstd has it. */
Data pzstd(const Data &plain, size_t frame);
/* Members of `member` bytes and an empty one. */
Data bgzip(const Data &plain, size_t member);

} // namespace host

#endif
