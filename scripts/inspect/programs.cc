// SPDX-License-Identifier: GPL-2.0

#include "inspect/programs.h"

#include <algorithm>

#include "initrd/support/bytes.h"

namespace inspect {
namespace {

using initrd::Bytes;

constexpr u32 kTypeMask = 0170000;
constexpr u32 kRegular = 0100000;
constexpr u32 kFolder = 0040000;

// Numbers of an ELF file, of its own width and order.
class Elf {
public:
	explicit Elf(Bytes file) : file_(file), wide_(file[4] == 2), little_(file[5] == 1) {}

	bool wide() const { return wide_; }
	// 0 where it is not all there.
	u64 number(u64 at, size_t size) const
	{
		u64 value = 0;

		if (at > file_.size() || size > file_.size() - at)
			return 0;
		for (size_t i = 0; i < size; i++) {
			const u64 byte = file_[static_cast<size_t>(at) + i];

			value |= byte << 8 * (little_ ? i : size - 1 - i);
		}
		return value;
	}
	u32 machine() const { return static_cast<u32>(number(18, 2)); }

private:
	Bytes file_;
	bool wide_;
	bool little_;
};

bool is_elf(Bytes head)
{
	return head.size() >= 52 && initrd::holds(head, 0,
						  "\x7f"
						  "ELF");
}

bool is_script(Bytes head)
{
	return initrd::holds(head, 0, "#!");
}

std::string text_of(Bytes bytes)
{
	const auto *const end = std::find_if(bytes.begin(), bytes.end(), [](u8 c) { return !c; });

	return {bytes.begin(), end};
}

std::string elf_loader(Bytes head)
{
	constexpr u64 kInterp = 3;
	const Elf elf(head);
	const u64 table = elf.wide() ? elf.number(32, 8) : elf.number(28, 4);
	const u64 size = elf.number(elf.wide() ? 54 : 42, 2);
	const u64 count = elf.number(elf.wide() ? 56 : 44, 2);

	for (u64 i = 0; size && i < count && table + i * size < head.size(); i++) {
		const u64 row = table + i * size;

		if (elf.number(row, 4) != kInterp)
			continue;
		const u64 at = elf.wide() ? elf.number(row + 8, 8) : elf.number(row + 4, 4);
		const u64 length = elf.wide() ? elf.number(row + 32, 8) : elf.number(row + 16, 4);

		if (at < head.size())
			return text_of(head.skip(static_cast<size_t>(at))
					       .first(static_cast<size_t>(
						       std::min<u64>(length, head.size()))));
	}
	return "";
}

// The first word behind "#!", as binfmt_script finds it.
std::string script_interpreter(Bytes head)
{
	const auto blank = [](u8 c) { return c == ' ' || c == '\t'; };
	const auto *const end = std::find(head.begin() + 2, head.end(), u8{'\n'});
	const auto *const from = std::find_if_not(head.begin() + 2, end, blank);

	return {from, std::find_if(from, end, [&](u8 c) { return blank(c) || !c; })};
}

// What programs of a kernel's are called in their headers.
struct Machine {
	const char *option;
	std::vector<u32> numbers;
};

const Machine kMachines[] = {
	{"X86_64", {62, 3}},	{"X86_32", {3}},      {"ARM64", {183, 40}}, {"ARM", {40}},
	{"RISCV", {243}},	{"PPC", {20, 21}},    {"MIPS", {8}},	    {"S390", {22}},
	{"SPARC", {2, 18, 43}}, {"LOONGARCH", {258}}, {"M68K", {4}},	    {"SUPERH", {42}},
	{"ARC", {93, 195}},	{"XTENSA", {94}},     {"PARISC", {15}},	    {"CSKY", {252}},
	{"MICROBLAZE", {189}},	{"NIOS2", {113}},     {"OPENRISC", {92}},   {"ALPHA", {0x9026}},
};

bool runs_on(u32 machine, const Config &config)
{
	for (const Machine &row : kMachines)
		if (config.built_in(row.option))
			return std::find(row.numbers.begin(), row.numbers.end(), machine) !=
			       row.numbers.end();
	return true;
}

void check_format(const std::string &name, Bytes head, const Config &config, Report &report)
{
	const auto lacks = [&](const char *option, const char *what) {
		if (!config.may_be_built_in(option))
			report.add(Severity::kError, "no-binfmt",
				   name + " is " + what + ", and the kernel has no CONFIG_" +
					   option,
				   std::string("set CONFIG_") + option + "=y");
	};

	if (is_script(head)) {
		lacks("BINFMT_SCRIPT", "a script");
	} else if (is_elf(head)) {
		lacks("BINFMT_ELF", "an ELF program");
		if (!runs_on(Elf(head).machine(), config))
			report.add(Severity::kError, "wrong-machine",
				   name + " is a program of another architecture (ELF machine " +
					   std::to_string(Elf(head).machine()) + "): error -8",
				   "put programs of the kernel's own architecture into it");
	} else {
		report.add(Severity::kError, "no-program-format",
			   name + " is neither a script that begins with #! nor an ELF program: "
				  "error -8");
	}
}

void tell_missing(const std::string &name, const std::string &wanted_by, Report &report)
{
	if (wanted_by.empty())
		report.add(Severity::kError, "no-program", name + " is not there: error -2");
	else
		report.add(Severity::kError, "no-interpreter",
			   wanted_by + " needs " + name + ", which is not there: error -2",
			   "put it into the image, with the libraries that it needs");
}

} // namespace

std::optional<std::string> interpreter_of(const std::vector<u8> &head)
{
	const Bytes bytes(head.data(), head.size());

	if (is_script(bytes))
		return script_interpreter(bytes);
	if (is_elf(bytes))
		return elf_loader(bytes);
	return std::nullopt;
}

bool check_program(Files &files, const std::string &path, const Config &config, Report &report)
{
	constexpr int kMostInterpreters = 5; // as in the kernel
	const size_t findings = report.findings.size();
	std::string name = path;
	std::string wanted_by;

	for (int depth = 0; depth < kMostInterpreters && !name.empty(); depth++) {
		const std::optional<File> file = files.find(name);
		const std::string shown = printable(name);

		if (!file) {
			tell_missing(shown, printable(wanted_by), report);
			break;
		}
		if ((file->mode & kTypeMask) != kRegular)
			report.add(Severity::kError, "no-program",
				   shown +
					   ((file->mode & kTypeMask) == kFolder ?
						    " is a folder" :
						    " is no regular file") +
					   ": error -13");
		else if (!(file->mode & 0111))
			report.add(Severity::kError, "not-executable",
				   shown + " has no permission to be executed: error -13",
				   "chmod +x " + shown + ", and make the image again");
		if (report.findings.size() > findings)
			break;
		check_format(shown, Bytes(file->head.data(), file->head.size()), config, report);
		wanted_by = name;
		name = interpreter_of(file->head).value_or("");
	}
	return report.findings.size() == findings;
}

} // namespace inspect
