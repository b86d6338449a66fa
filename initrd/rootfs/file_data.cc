// SPDX-License-Identifier: GPL-2.0

#include "initrd/rootfs/file_data.h"

#include "initrd/rootfs/memory_left.h"
#include "initrd/seam/cpus.h"

namespace initrd::rootfs {

int write_file(seam_file *file, Bytes data, u64 position, size_t &written)
{
	// Much less than is left to others.
	constexpr size_t kPiece = size_t{128} << 10;

	written = 0;
	while (written < data.size()) {
		const Bytes piece = data.skip(written).first(kPiece);

		if (hardly_any_memory_left())
			return -kNoMemory;
		const s64 n = seam_file_write(file, piece.data(), piece.size(), position + written);

		if (n == 0)
			return -kNoSpace;
		if (n < 0 && !is_to_be_tried_again(n))
			return static_cast<int>(n);
		written += n > 0 ? static_cast<size_t>(n) : 0;
		seam_cond_resched();
	}
	return 0;
}

int FileData::open_file(seam_directory *folder, seam_node *node)
{
	int status;

	file_ = File(seam_node_open(folder, node, &status));
	return status;
}

Result<void> FileData::write(Bytes piece, size_t &written)
{
	return check(write_file(file_.get(), piece, position_, written), kWriteError);
}

} // namespace initrd::rootfs
