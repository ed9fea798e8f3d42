#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <algorithm>
#include <string>
#include <vector>

extern "C" {
#include "base/conf_toml.h"
}

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_UNRELEASED_FEATURES 0
/* Arrays and inline tables within each other. The number is SL_CONF_DEPTH_MAX: the preprocessor cannot read that. */
#define TOML_MAX_NESTED_VALUES 32
#include <toml++/toml.h>

static_assert(TOML_MAX_NESTED_VALUES == SL_CONF_DEPTH_MAX, "one bound for all nesting");

namespace {

/* Moves over a document outside of strings and comments. It is right about every prefix that is valid TOML, which is
 * as far as the parser reads. */
class Scanner
{
  public:
    Scanner(std::string_view text) : text_(text) {}

    /* The line of a key with more than SL_CONF_DEPTH_MAX dots; 0: there is none. toml++ makes a table of every part
     * of a dotted key without a bound, and frees nested tables by recursion: a long key would exhaust the stack. */
    unsigned line_of_deep_key()
    {
        unsigned dots = 0;

        while (at_ < text_.size()) {
            switch (text_[at_]) {
            case '"':
            case '\'': skip_string(); continue;
            case '#':  skip_comment(); continue;
            case '.':  dots++; break;
            case '\n': line_++; dots = 0; break;
            case '=':
            case ',':
            case '[':
            case ']':
            case '{':
            case '}':  dots = 0; break;
            default:   break;
            }
            if (dots > SL_CONF_DEPTH_MAX)
                return line_;
            at_++;
        }
        return 0;
    }

  private:
    bool at(std::string_view what) const { return text_.compare(at_, what.size(), what) == 0; }

    void skip_comment()
    {
        while (at_ < text_.size() && text_[at_] != '\n')
            at_++;
    }

    void skip_string()
    {
        const char             quote = text_[at_];
        const std::string_view triple = quote == '"' ? "\"\"\"" : "'''";
        const bool             long_form = at(triple);

        at_ += long_form ? 3 : 1;
        while (at_ < text_.size()) {
            if (long_form ? at(triple) : text_[at_] == quote)
                break;
            if (text_[at_] == '\n') {
                if (!long_form)
                    return; /* not closed: the parser stops here too */
                line_++;
            }
            at_ += quote == '"' && text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n' ? 2 : 1;
        }
        at_ += long_form ? 3 : 1;
        /* The text of a long string may end with one or two quotes of its own. */
        for (int i = 0; long_form && i < 2 && at_ < text_.size() && text_[at_] == quote; i++)
            at_++;
    }

    std::string_view text_;
    size_t           at_ = 0;
    unsigned         line_ = 1;
};

struct Found {
    const toml::node         *node;
    std::vector<sl_toml_step> path;
};

/* Gathers the leaves of a document; tables come out of toml++ sorted by name. */
class Leaves
{
  public:
    /* False: the document is refused; `refusal` and `place` say why. */
    bool gather(const toml::node &node)
    {
        if (const toml::table *table = node.as_table(); table != nullptr && (!table->empty() || path_.empty())) {
            for (const auto &[key, child] : *table) {
                if (key.str().find('\0') != std::string_view::npos)
                    return refuse("a key holds a NUL", child);
                if (!descend({key.data(), 0}, child))
                    return false;
            }
            return true;
        }
        if (const toml::array *array = node.as_array(); array != nullptr && !array->empty()) {
            size_t index = 0;
            for (const toml::node &child : *array) {
                if (!descend({nullptr, index++}, child))
                    return false;
            }
            return true;
        }
        found.push_back({&node, path_});
        return true;
    }

    void sort()
    {
        std::stable_sort(found.begin(), found.end(), [](const Found &a, const Found &b) {
            return a.node->source().begin < b.node->source().begin;
        });
    }

    std::vector<Found>    found;
    const char           *refusal = nullptr;
    toml::source_position place = {};

  private:
    bool refuse(const char *reason, const toml::node &node)
    {
        refusal = reason;
        place = node.source().begin;
        return false;
    }

    bool descend(sl_toml_step step, const toml::node &child)
    {
        if (path_.size() == SL_CONF_DEPTH_MAX)
            return refuse("nested too deep", child);
        path_.push_back(step);
        const bool good = gather(child);
        path_.pop_back();
        return good;
    }

    std::vector<sl_toml_step> path_;
};

sl_toml_leaf leaf_of(const Found &found)
{
    sl_toml_leaf leaf = {};

    leaf.path = found.path.data();
    leaf.depth = found.path.size();
    leaf.line = found.node->source().begin.line;
    leaf.column = found.node->source().begin.column;
    switch (found.node->type()) {
    case toml::node_type::string: {
        const std::string &text = found.node->as_string()->get();
        leaf.type = SL_TOML_STRING;
        leaf.text = text.c_str();
        leaf.text_bytes = text.size();
        break;
    }
    case toml::node_type::integer:
        leaf.type = SL_TOML_INTEGER;
        leaf.integer = found.node->as_integer()->get();
        break;
    case toml::node_type::floating_point:
        leaf.type = SL_TOML_FLOAT;
        leaf.number = found.node->as_floating_point()->get();
        break;
    case toml::node_type::boolean:
        leaf.type = SL_TOML_BOOLEAN;
        leaf.boolean = found.node->as_boolean()->get();
        break;
    case toml::node_type::array: leaf.type = SL_TOML_ARRAY; break;
    case toml::node_type::none:
    case toml::node_type::table: leaf.type = SL_TOML_TABLE; break;
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time: leaf.type = SL_TOML_TIME; break;
    }
    return leaf;
}

/* The parser's words. It quotes a number that it cannot represent: that may be a password without quotes. */
std::string words_of(const toml::parse_error &error)
{
    std::string  words(error.description());
    const size_t first = words.find(": '");
    const size_t last = words.rfind('\'');

    if (first != std::string::npos && last > first + 2)
        words.replace(first + 2, last - first - 1, "the value");
    return words;
}

} // namespace

extern "C" enum sl_err sl_toml_walk(const char *path, const char *text, size_t bytes, sl_toml_visit visit,
                                    void *context, struct sl_why *why)
{
    if (bytes > SL_CONF_FILE_BYTES_MAX)
        return sl_fail(why, SL_CONFIG, "%s:1:1: larger than %d bytes", path, SL_CONF_FILE_BYTES_MAX);
    if (const unsigned line = Scanner({text, bytes}).line_of_deep_key(); line != 0)
        return sl_fail(why, SL_CONFIG, "%s:%u:1: nested too deep", path, line);

    const toml::parse_result result = toml::parse(std::string_view(text, bytes));

    if (!result) {
        const toml::source_position at = result.error().source().begin;
        return sl_fail(why, SL_CONFIG, "%s:%u:%u: %s", path, at.line, at.column, words_of(result.error()).c_str());
    }

    Leaves leaves;

    if (!leaves.gather(result.table()))
        return sl_fail(why, SL_CONFIG, "%s:%u:%u: %s", path, leaves.place.line, leaves.place.column, leaves.refusal);
    leaves.sort();
    for (const Found &found : leaves.found) {
        const sl_toml_leaf leaf = leaf_of(found);
        if (const enum sl_err err = visit(context, &leaf, why); err != SL_OK)
            return err;
    }
    return SL_OK;
}
