/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Seam: the kernel's decompression libraries.
 *
 * The streaming ones share one shape: new, step until SEAM_CODEC_END, free.
 * Each lives in a codec_<name>.c that is built under CONFIG_RD_<NAME>.
 */
#ifndef INITRD_SEAM_CODEC_H
#define INITRD_SEAM_CODEC_H

#include "initrd/support/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is left of the input and of the lent output; a step moves both on. */
struct seam_codec_io {
	const u8 *in;
	size_t in_left;
	u8 *out;
	size_t out_left;
};

enum seam_codec_status {
	SEAM_CODEC_MORE, /* wants more input or more room */
	SEAM_CODEC_END,	 /* the stream or frame is complete */
	SEAM_CODEC_CORRUPT,
	SEAM_CODEC_BAD_CHECKSUM,
	SEAM_CODEC_UNSUPPORTED, /* made with options that the library lacks */
	SEAM_CODEC_NO_MEMORY,
};

/* Raw deflate, window of 32 KiB. NULL when there is no memory. */
struct seam_inflate;
struct seam_inflate *seam_inflate_new(void);
/* Makes it ready for other data. */
void seam_inflate_reset(struct seam_inflate *codec);
enum seam_codec_status seam_inflate_step(struct seam_inflate *codec, struct seam_codec_io *io);
void seam_inflate_free(struct seam_inflate *codec);

/* The CRC-32 of gzip and .xz over `data`, going on from `crc` (0 at the start). */
u32 seam_crc32(u32 crc, const u8 *data, size_t size);
/*
 * Whether nothing is gained by folding: the processor helps with the CRC, at less
 * than one instruction for a byte, or words at odd addresses cost it more.
 */
int seam_crc32_is_fast(void);

/*
 * One Zstandard frame. `in` must start with its header. NULL with `status` set
 * on failure (SEAM_CODEC_UNSUPPORTED: a header, or a window, that the library does not
 * take, whatever the memory). What it refers back to is kept in a window that is allocated
 * here; or, if `in_place`, it is read where it was put: then each step's room
 * follows the one before, less what is left of that, and has at least
 * SEAM_ZSTD_ROOM bytes, and a step's input goes on to the input's end.
 */
#define SEAM_ZSTD_ROOM (128 << 10)
struct seam_zstd;
struct seam_zstd *seam_zstd_new(const u8 *in, size_t size, int in_place,
				enum seam_codec_status *status);
enum seam_codec_status seam_zstd_step(struct seam_zstd *codec, struct seam_codec_io *io);
/* A whole frame at once, with a codec that is in place: bytes made, or -1. */
s64 seam_zstd_frame(struct seam_zstd *codec, const u8 *in, size_t in_size, u8 *out,
		    size_t out_size);
void seam_zstd_free(struct seam_zstd *codec);

/* One .xz stream. NULL when there is no memory. */
struct seam_xz;
struct seam_xz *seam_xz_new(void);
/* Makes it ready for other data. */
void seam_xz_reset(struct seam_xz *codec);
enum seam_codec_status seam_xz_step(struct seam_xz *codec, struct seam_codec_io *io);
void seam_xz_free(struct seam_xz *codec);
/* Whether it undoes the filter with this number in the .xz format, in front of LZMA2. */
int seam_xz_has_filter(u32 id);

/* One LZ4 or LZO1X block: the number of bytes made, or -1 when it is corrupt. */
s64 seam_lz4_block(const u8 *in, size_t in_size, u8 *out, size_t out_size);
/* The same for what a block begins with: at most `out_size` bytes. */
s64 seam_lz4_head(const u8 *in, size_t in_size, u8 *out, size_t out_size);
/* The same for a block that refers to the end of `before`, which may lie before `out`. */
s64 seam_lz4_linked_block(const u8 *in, size_t in_size, u8 *out, size_t out_size, const u8 *before,
			  size_t before_size);

/* The XXH32, with a seed of 0, of data that comes in pieces. Built for LZ4 frames. */
struct seam_xxh32 {
	u64 space[6];
};
void seam_xxh32_start(struct seam_xxh32 *sum);
void seam_xxh32_add(struct seam_xxh32 *sum, const u8 *data, size_t size);
u32 seam_xxh32_value(const struct seam_xxh32 *sum);

s64 seam_lzo_block(const u8 *in, size_t in_size, u8 *out, size_t out_size);

#ifdef __cplusplus
}
#endif

#endif
