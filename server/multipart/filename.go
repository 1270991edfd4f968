package multipart

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	longestFileName = 200 // bytes: with something put in front it still fits into the 255 of most file systems
	longestSuffix   = 20  // bytes: a longer one is not kept when the name is cut
	noFileName      = "unnamed"
)

// SafeFileName returns a name for a file of one's own that is like FileName: without the folders in front, in valid
// UTF-8, of letters and signs that every file system takes and that nobody reads otherwise than they are, neither
// hidden nor one that is reserved, of 1 to 200 bytes. It is no secret and not unique: a client chooses it.
func (p *Part) SafeFileName() string {
	name := p.FileName
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(safeRune, name)
	name = unreserved(trimFileName(name))
	if len(name) > longestFileName {
		name = unreserved(cutFileName(name))
	}
	if name == "" {
		return noFileName
	}
	return name
}

// safeRune replaces what is not shown, what turns the direction of writing, and what a system refuses in names.
func safeRune(r rune) rune {
	if r == utf8.RuneError || !unicode.IsPrint(r) || strings.ContainsRune(`<>:"|?*`, r) {
		return '_'
	}
	return r
}

// trimFileName takes off what hides a file in front, and what some systems do not see behind.
func trimFileName(name string) string {
	return strings.TrimRight(strings.TrimLeft(name, ". "), ". ")
}

// cutFileName makes a name shorter, and keeps its suffix.
func cutFileName(name string) string {
	suffix := ""
	if dot := strings.LastIndexByte(name, '.'); len(name)-dot <= longestSuffix {
		suffix = name[dot:]
	}
	end := longestFileName - len(suffix)
	for !utf8.RuneStart(name[end]) {
		end--
	}
	return trimFileName(name[:end]) + suffix
}

// unreserved changes a name that is that of a device.
func unreserved(name string) string {
	if isReserved(name) {
		return "_" + name
	}
	return name
}

// isReserved says whether a name is that of a device, whatever its suffix, on systems that have those.
func isReserved(name string) bool {
	base, _, _ := strings.Cut(name, ".")
	base = strings.ToUpper(strings.TrimRight(base, " "))
	switch base {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	return len(base) == len("COM1") && (base[:3] == "COM" || base[:3] == "LPT") && base[3] >= '0' && base[3] <= '9'
}
