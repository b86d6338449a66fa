// SPDX-License-Identifier: GPL-2.0

#include "inspect/extract.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <memory>

#include "inspect/report.h"

namespace inspect {
namespace {

constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

class Descriptor {
public:
	explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
	~Descriptor()
	{
		if (descriptor_ >= 0)
			close(descriptor_);
	}
	Descriptor(const Descriptor &) = delete;
	Descriptor &operator=(const Descriptor &) = delete;

	int get() const { return descriptor_; }
	bool ok() const { return descriptor_ >= 0; }

private:
	int descriptor_;
};

bool is_empty(int folder)
{
	const int copy = dup(folder);
	DIR *const entries = copy < 0 ? nullptr : fdopendir(copy);
	bool empty = entries;

	while (const dirent *const entry = entries ? readdir(entries) : nullptr)
		if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0)
			empty = false;
	if (entries)
		closedir(entries);
	return empty;
}

class Extraction {
public:
	Extraction(bool nodes, Extracted &result) : nodes_(nodes), result_(result) {}

	// All of `tree`, folder by folder, without recursion: it may be very deep.
	void run(const host::Node &tree, int top)
	{
		std::vector<Pending> left;

		fill(std::make_shared<Folder>(*this, tree, top), "", left);
		while (!left.empty() && result_.error.empty()) {
			const Pending next = std::move(left.back());

			left.pop_back();
			if (const FolderPtr made = make_folder(*next.above, next.name, *next.node,
							       next.path))
				fill(made, next.path + next.name + "/", left);
		}
	}

private:
	// An open folder. It gets its mode and time when the last one below it is open,
	// for its mode may keep us out.
	class Folder {
	public:
		Folder(Extraction &of, const host::Node &node, int descriptor)
			: of_(of), node_(node), descriptor_(descriptor)
		{
		}
		~Folder()
		{
			if (descriptor_.ok())
				of_.attributes(get(), node_);
		}
		Folder(const Folder &) = delete;
		Folder &operator=(const Folder &) = delete;

		int get() const { return descriptor_.get(); }
		const host::Node &node() const { return node_; }

	private:
		Extraction &of_;
		const host::Node &node_;
		Descriptor descriptor_;
	};
	using FolderPtr = std::shared_ptr<Folder>;

	struct Pending {
		FolderPtr above;
		std::string name;
		const host::Node *node;
		std::string path; // of the one above, for messages
	};

	// Makes all that is in a folder, but for the folders in it, which follow.
	void fill(const FolderPtr &folder, const std::string &path, std::vector<Pending> &left)
	{
		for (const auto &[name, node] : folder->node().children) {
			if (!result_.error.empty())
				return;
			if (!is_name(name))
				fail("no name for a file", path + name);
			else if (node->type() == S_IFDIR)
				left.push_back({folder, name, node.get(), path});
			else
				make_other(folder->get(), name, *node, path);
		}
	}

	static bool is_name(const std::string &name)
	{
		return !name.empty() && name != "." && name != ".." &&
		       name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
	}

	FolderPtr make_folder(const Folder &above, const std::string &name, const host::Node &node,
			      const std::string &path)
	{
		int descriptor = -1;

		if (mkdirat(above.get(), name.c_str(), 0700) == 0)
			descriptor = openat(above.get(), name.c_str(), kFolderFlags);
		if (descriptor < 0) {
			fail(std::strerror(errno), path + name);
			return nullptr;
		}
		result_.made++;
		return std::make_shared<Folder>(*this, node, descriptor);
	}

	struct Times {
		// What has none of its own was made just now.
		explicit Times(const host::Node &node)
			: both{{0, UTIME_OMIT},
			       {node.mtime, node.mtime == host::kNow ? UTIME_NOW : 0}}
		{
		}
		timespec both[2];
	};

	void attributes(int descriptor, const host::Node &node)
	{
		const u32 mode = node.permissions() & (nodes_ ? 07777u : 0777u);

		// Without root, files belong to whoever extracts them, and he may enter folders.
		if (nodes_ && fchown(descriptor, node.uid, node.gid) < 0)
			fail(std::strerror(errno), "owner");
		if (fchmod(descriptor, node.type() == S_IFDIR && !nodes_ ? mode | 0700 : mode) <
			    0 ||
		    futimens(descriptor, Times(node).both) < 0)
			fail(std::strerror(errno), "mode and time");
	}

	void fail(const std::string &what, const std::string &path)
	{
		if (result_.error.empty())
			result_.error = printable(path) + ": " + what;
	}

	// Anything but a folder.
	void make_other(int above, const std::string &name, const host::Node &node,
			const std::string &path)
	{
		const char *const text = name.c_str();
		const bool is_file = node.type() == S_IFREG;
		const bool is_link = node.type() == S_IFLNK;
		int status;

		if (!is_file && !is_link && !nodes_) {
			result_.left_out.push_back(path + name);
			return;
		}
		if (is_file)
			status = write_file(above, text, node) ? 0 : -1;
		else if (is_link)
			status = symlinkat(node.target.c_str(), above, text);
		else
			status = make_node(above, text, node);
		if (status == 0 && !is_file)
			status = attributes_of_other(above, text, node);
		if (status == 0)
			result_.made++;
		else
			fail(std::strerror(errno), path + name);
	}

	// Who extracts has a umask, which takes bits away.
	static int make_node(int above, const char *name, const host::Node &node)
	{
		const mode_t mask = umask(0);
		const int status = mknodat(above, name, node.mode, makedev(node.major, node.minor));

		umask(mask);
		return status;
	}

	// Those of a link or a node.
	int attributes_of_other(int above, const char *name, const host::Node &node) const
	{
		if (nodes_ && fchownat(above, name, node.uid, node.gid, AT_SYMLINK_NOFOLLOW) < 0)
			return -1;
		return utimensat(above, name, Times(node).both, AT_SYMLINK_NOFOLLOW);
	}

	bool write_file(int above, const char *name, const host::Node &node)
	{
		const auto first = written_.find(&node);

		// Another name of a file: it is linked by its descriptor, not by a path.
		if (first != written_.end() &&
		    linkat(AT_FDCWD,
			   ("/proc/self/fd/" + std::to_string(first->second->get())).c_str(), above,
			   name, AT_SYMLINK_FOLLOW) == 0)
			return true;
		auto file = std::make_shared<Descriptor>(openat(
			above, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));

		if (!file->ok())
			return false;
		for (size_t at = 0; at < node.data.size();) {
			const ssize_t n = ::write(file->get(), node.data.data() + at,
						  node.data.size() - at);

			if (n < 0 && errno != EINTR)
				return false;
			at += n > 0 ? static_cast<size_t>(n) : 0;
		}
		attributes(file->get(), node);
		remember(node, file);
		return true;
	}

	// Only so many files with several names are kept open for these.
	void remember(const host::Node &node, const std::shared_ptr<Descriptor> &file)
	{
		constexpr size_t kMost = 128;

		if (node.nlink > 1 && written_.size() < kMost)
			written_[&node] = file;
	}

	bool nodes_;
	Extracted &result_;
	std::map<const host::Node *, std::shared_ptr<Descriptor>> written_;
};

// As many open files as one may have: each folder that waits for its turn is one.
void allow_open_files()
{
	rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

} // namespace

Extracted extract(const host::Node &tree, const std::string &folder, bool nodes)
{
	Extracted result;

	allow_open_files();
	if (mkdir(folder.c_str(), 0755) < 0 && errno != EEXIST) {
		result.error = folder + ": " + std::strerror(errno);
		return result;
	}
	// The folder itself may be named by a link: it is the user's own word.
	const int top = open(folder.c_str(), kFolderFlags & ~O_NOFOLLOW);

	if (top < 0) {
		result.error = folder + ": " + std::strerror(errno);
	} else if (!is_empty(top)) {
		result.error = folder + ": there is something in it; give a new or an empty folder";
		close(top);
	} else {
		Extraction(nodes, result).run(tree, top);
	}
	return result;
}

} // namespace inspect
