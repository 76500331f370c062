#!/usr/bin/env python3
# p2phlssrc: writes docs/reference.md from the plugin and its doc comments.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What can be asked of the built plugin (types, ranges, defaults, pads, URI
schemes) is asked of it; what it means stands in the doc comments of
gst/p2phlssrc. A property without a comment, or a comment that names another
default, is an error.

    reference.py           writes docs/reference.md
    reference.py --check   says whether it is as it would be written"""

import difflib
import glob
import os
import re
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GObject, Gst  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = os.path.join(HERE, "..", "gst", "p2phlssrc", "*.c")
TARGET = os.path.join(HERE, "reference.md")
TYPE = "GstP2pHlsSrc"

HEAD = """# p2phlssrc

<!-- Written by docs/reference.py from the plugin and its doc comments. -->

`gst-inspect-1.0 p2phlssrc` shows the short form of this page.

"""

# Newer versions of GStreamer have more of them.
BASE = """
`blocksize`, `do-timestamp` and `num-buffers` are those of GStreamer's base
classes.

"""

# What a GType is called by people.
TYPES = {"gchararray": "string", "gboolean": "boolean", "gint": "int",
         "guint": "uint", "guint64": "uint64", "gint64": "int64",
         "GStrv": "list of strings", "gdouble": "double"}
UNBOUNDED = {2**31 - 1, 2**32 - 1, 2**64 - 1, sys.float_info.max}


# --- the comments -----------------------------------------------------------

def comments():
    """{"GstP2pHlsSrc:p2p" or "SECTION:name": lines of its text}."""
    found = {}
    for path in sorted(glob.glob(SOURCES)):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for body in re.findall(r"/\*\*\n(.*?)\*/", text, re.DOTALL):
            lines = [re.sub(r"^\s*\* ?", "", line)
                     for line in body.rstrip().split("\n")]
            match = re.match(r"(SECTION:[\w-]+|%s[:!][\w-]+)" % TYPE, lines[0])
            if match:
                found[match[1]] = lines[1:]
    return found


def markdown(lines):
    """gtk-doc's text as Markdown; what begins with @ is for gtk-doc alone."""
    text = "\n".join(line for line in lines if not line.startswith("@"))
    text = re.sub(r"\n*^Since: .*$", "", text, flags=re.MULTILINE).strip()
    text = re.sub(r"^\|\[$", "\n```sh", text, flags=re.MULTILINE)
    text = re.sub(r"^\]\| ?", "```\n\n", text, flags=re.MULTILINE)
    text = re.sub(r"#g(u?int(?:64)?)\b", r"\1", text)
    text = re.sub(r"#%s:([\w-]+)" % TYPE, r"[`\1`](#\1)", text)
    return re.sub(r"(?<!\()[#%](\w+)", lambda match: "`%s`" % {
        "NULL": "null", "TRUE": "true", "FALSE": "false"}.get(
            match[1], match[1]), text)


# --- the plugin -------------------------------------------------------------

def nicks_of(spec):
    """(number, nick) of each flag or value."""
    kind = spec.value_type.pytype
    if spec.value_type.is_a(GObject.TYPE_FLAGS):
        return [(int(value), nick) for value in kind.__flags_values__.values()
                for nick in value.value_nicks]
    return [(int(value), value.value_nick)
            for value in kind.__enum_values__.values()]


def default_text(spec):
    value = getattr(spec, "default_value", None)  # boxed ones have none
    # Of PyGObject 3.50 these are but numbers.
    if spec.value_type.is_a(GObject.TYPE_FLAGS):
        nicks = [nick for bit, nick in nicks_of(spec) if bit & int(value)]
        return "+".join(sorted(nicks, reverse=True))
    if spec.value_type.is_a(GObject.TYPE_ENUM):
        return dict(nicks_of(spec))[int(value)]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return "%g" % value
    return "null" if value in (None, "") else str(value)


def says_default(name, lines):
    """What a comment gives for the default, in the words of default_text();
    None if it describes it."""
    text = " ".join(lines)
    if "Default: " not in text:
        sys.exit("%s: the doc comment names no default" % name)
    match = re.search(r"Default: (?:(`[^`]+`|[%#]\w+|\d+)( s\b)?|(\w+)\.)",
                      text)
    if match is None:
        return None
    if match[2]:
        return str(int(match[1]) * Gst.SECOND)
    word = (match[1] or match[3]).strip("`%#")
    if word == "GST_CLOCK_TIME_NONE":
        return str(Gst.CLOCK_TIME_NONE)
    return word.lower()


def changes(spec):
    if not spec.flags & GObject.ParamFlags.WRITABLE:
        return "read-only"
    flags = int(spec.flags)
    if flags & Gst.PARAM_MUTABLE_PLAYING:
        return "can change in any state"
    if flags & Gst.PARAM_MUTABLE_READY:
        return "can change in NULL and READY"
    return None


def type_text(spec):
    for base, kind in ((GObject.TYPE_FLAGS, "flags"),
                       (GObject.TYPE_ENUM, "enum")):
        if spec.value_type.is_a(base):
            return kind + "** of " + ", ".join(
                "`%s`" % nick for _, nick in nicks_of(spec))
    name = spec.value_type.name
    return TYPES.get(name, name) + "**"


def range_text(spec):
    if spec.maximum in UNBOUNDED:
        return "from %d" % spec.minimum
    return "%d to %d" % (spec.minimum, spec.maximum)


def shown_default(spec, text):
    """The default, and in larger units what has many digits."""
    default = default_text(spec)
    if default.isdigit() and int(default) >= Gst.SECOND and "nanosec" in text:
        return "`%s` (%d s)" % (default, int(default) // Gst.SECOND)
    if default.isdigit() and int(default) >= 2**20 and "in bytes" in text:
        return "`%s` (%d MiB)" % (default, int(default) // 2**20)
    return "`%s`" % default.strip()


def facts(spec, text):
    parts = ["**" + type_text(spec)]
    if hasattr(spec, "minimum"):
        parts.append(range_text(spec))
    # What the text describes is better said there.
    if spec.flags & GObject.ParamFlags.WRITABLE and "Default:" not in text:
        parts.append("default " + shown_default(spec, text))
    if changes(spec):
        parts.append(changes(spec))
    return ", ".join(parts) + "\n"


def without_facts(spec, text):
    """Without what facts(), or the head of the chapter, says already."""
    text = re.sub(r"\s*Default: [^,;]*?\.(?=\s|$)", "", " ".join(text.split()))
    if changes(spec) is None:
        return re.sub(r" Can change in any state, and is taken with the next "
                      r"request\.", "", text)
    text = re.sub(r" (Can change in (any state|the NULL and READY states)|"
                  r"Read-only)\.", "", text)
    return re.sub(r"Can change in (?:any state|the NULL and READY states); "
                  r"(\w)", lambda match: match[1].upper(), text)


def property_text(spec, found):
    lines = found.get("%s:%s" % (TYPE, spec.name))
    if lines is None:
        sys.exit("%s: there is no doc comment" % spec.name)
    if spec.flags & GObject.ParamFlags.WRITABLE:
        said = says_default(spec.name, lines)
        if said is not None and said != default_text(spec):
            sys.exit("%s: the default is %s, the doc comment says %s"
                     % (spec.name, default_text(spec), said))
    text = without_facts(spec, markdown(lines))
    return "### %s\n\n%s\n%s\n" % (spec.name, facts(spec, text), text)


def split_properties(element):
    """Those for sharing, those of HTTP."""
    own = [spec for spec in element.list_properties()
           if spec.owner_type.name == TYPE]
    names = [spec.name for spec in own]
    first = names.index("p2p")
    sharing = own[first:] + [own[names.index("stats")]]
    http = [spec for spec in own[:first] if spec.name != "stats"]
    return sharing, http


def about(factory):
    rows = [("rank", "%d (%s)" % (
        factory.get_rank(), Gst.Rank(factory.get_rank()).value_nick)),
        ("class", factory.get_metadata("klass")),
        ("URI schemes", ", ".join(
            "`%s:`" % name for name in sorted(factory.get_uri_protocols())))]
    for template in factory.get_static_pad_templates():
        rows.append(("pad `%s`" % template.name_template, "%s, %s, caps %s" % (
            template.direction.value_nick, template.presence.value_nick,
            template.get_caps().to_string())))
    return "| | |\n|---|---|\n" + "".join("| %s | %s |\n" % r for r in rows)


def check_statistics(element, text):
    structure = element.get_property("stats")
    for index in range(structure.n_fields()):
        name = structure.nth_field_name(index)
        kind = structure.get_field_type(name).name
        kind = "array" if kind == "GstValueArray" else TYPES[kind]
        if "- `%s` (%s" % (name, kind) not in text:
            sys.exit("stats: %s (%s) has no doc comment" % (name, kind))


def categories():
    names = sorted(category.get_name()
                   for category in Gst.debug_get_all_categories()
                   if category.get_name().startswith("p2p"))
    return "Debug categories: %s.\n" % ", ".join("`%s`" % n for n in names)


def page(element):
    found = comments()
    sharing, http = split_properties(element)
    signals = GObject.signal_list_names(element.__gtype__)
    if signals or "%s!src" % TYPE not in found:
        sys.exit("a signal or a pad has no doc comment")
    overview = markdown(found["SECTION:element-p2phlssrc"])
    intro, examples = overview.split("## Example launch lines")
    statistics = markdown(found["SECTION:p2phlssrc-stats"])
    check_statistics(element, statistics)

    out = HEAD + intro + about(element.get_factory())
    out += "\nIt has no signals and no actions of its own.\n"
    out += "\n## Example launch lines\n\n" + examples.strip()
    out += "\n\n## Properties for sharing\n\n"
    out += "\n".join(property_text(spec, found) for spec in sharing)
    out += "\n## Properties of HTTP\n\n"
    out += ("All of them are souphttpsrc's, with the same names, types, "
            "defaults and meaning. What says nothing else can change in any "
            "state, and is taken\nwith the next request.\n\n")
    out += "\n".join(property_text(spec, found) for spec in http)
    out += BASE
    for name in ("stats", "messages", "contexts", "environment"):
        lines = found["SECTION:p2phlssrc-" + name]
        title = next(line for line in lines if line.startswith("@title: "))
        out += "## %s\n\n%s\n\n" % (title[len("@title: "):], markdown(lines))
    return out + categories()


def main():
    Gst.init(None)
    # Defaults of the plugin, not of whoever runs this.
    for name in ("GST_P2PHLS", "http_proxy"):
        os.environ.pop(name, None)
    element = Gst.ElementFactory.make("p2phlssrc", None)
    if element is None:
        sys.exit("there is no p2phlssrc: ./dev run docs/reference.py")
    # Python has no class of an enumeration that it has not met.
    for spec in element.list_properties():
        if spec.value_type.is_a(GObject.TYPE_FLAGS) \
                or spec.value_type.is_a(GObject.TYPE_ENUM):
            element.get_property(spec.name)
    text = page(element)
    if "--check" not in sys.argv:
        with open(TARGET, "w", encoding="utf-8") as file:
            file.write(text)
        return
    with open(TARGET, encoding="utf-8") as file:
        there = file.read()
    sys.stdout.writelines(difflib.unified_diff(
        there.splitlines(True), text.splitlines(True), "docs/reference.md",
        "what the plugin says"))
    if there != text:
        sys.exit("docs/reference.md is out of date: ./dev docs")


main()
