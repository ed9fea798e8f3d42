"""Who includes whom, and what is built."""

import fnmatch
import re

import tables


def layer_of(path):
    """The layer of a file, or None for a place that has none."""
    parts = path.split("/")
    if parts[0] == "bin":
        return "bin"
    if parts[0] != "src":
        return None
    name = "/".join(parts[1:3]) if parts[1] == "actors" else parts[1]
    return name if name in tables.LAYERS else f"unknown layer {name}"


def check_layers(tree):
    """Folders include only what lies below them."""
    for path in tree.below("src", "bin"):
        layer = layer_of(path)
        if layer not in tables.LAYERS:
            yield f"{path}: {layer}; tests/tidy/tables.py lists the layers"
            continue
        for include in tree.includes(path):
            target = tree.resolve(include) if include.quoted else None
            if target is None:
                continue
            other = layer_of(target)
            if other is None:
                yield f"{path}:{include.line}: product code includes {target}"
            elif other != layer and other not in tables.LAYERS[layer]:
                yield f"{path}:{include.line}: {layer} must not know {other} ({target})"
    for path in tree.below("bench"):
        for include in tree.includes(path):
            if (tree.resolve(include) or "").startswith("tests/"):
                yield f"{path}:{include.line}: nothing but tests includes tests/"


def check_include_paths(tree):
    """Our headers are named from the root of their folder, and only tests include .c files."""
    for path in tree.files:
        for include in tree.includes(path):
            if include.quoted and tree.resolve(include) is None \
                    and not third_party_places(include.name):
                yield f'{path}:{include.line}: no file "{include.name}" below src, tests or bench'
            if include.name.endswith(".c") and not path.startswith("tests/"):
                yield f"{path}:{include.line}: only tests include a .c file"


def third_party_places(name):
    for pattern, places in tables.THIRD_PARTY.items():
        if fnmatch.fnmatch(name, pattern):
            return places
    return None


def check_third_party_headers(tree):
    """A header of others appears in the one file that the table names."""
    users = {}
    for path in tree.files:
        for include in tree.includes(path):
            if include.quoted and tree.resolve(include):
                continue
            places = third_party_places(include.name)
            where = f"{path}:{include.line}"
            if places is None:
                cxx_standard = path.endswith(".cc") and re.fullmatch(r"[a-z_]+", include.name)
                if not include.quoted and include.name not in tables.SYSTEM_HEADERS \
                        and not cxx_standard:
                    yield f"{where}: <{include.name}> is in no table of tests/tidy/tables.py"
                continue
            place = next((p for p in places if fnmatch.fnmatch(path, p)), None)
            if place is None:
                yield f"{where}: <{include.name}> belongs to {' and '.join(places)} alone"
            elif place != "tests/*":
                users.setdefault(place, set()).add(path)
    for place, paths in users.items():
        if len(paths) > 1:
            yield f"{' and '.join(sorted(paths))}: {place} stands for one file"


def built_files(tree):
    """All names of sources in build.zig, those made by its helper functions included."""
    text = tree.text("build.zig")
    names = set(re.findall(r'"([^"\n]+\.(?:c|cc))"', text))
    helper_body = r'fn (\w+)\(comptime name\b[^{]*\{[^}]*?"([^"]+/)" \+\+ name \+\+ "([^"]+)"'
    helpers = re.findall(helper_body, text)
    for helper, before, after in helpers:
        names |= {before + name + after for name in re.findall(rf'\b{helper}\("([^"]+)"', text)}
    return names


def check_build_lists(tree):
    """Every source file is built: a file in no list would never be compiled nor run."""
    built = built_files(tree)
    included = {tree.resolve(i) for path in tree.files for i in tree.includes(path)}
    for path in tree.files:
        if not path.endswith(".h") and path not in built and path not in included:
            yield f"{path}: is in no list of build.zig"
