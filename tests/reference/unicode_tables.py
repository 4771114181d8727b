"""Writes src/data/text/unicode_tables.inc: the character classes that the `tokenizers` library uses, found by asking it.

    python tests/reference/unicode_tables.py    # takes two minutes

The library mixes several Unicode versions (its regex engine, its old table of categories, its normalisation), so no one
library of ours has the same classes. Whatever equals utf8proc's or PCRE2's data is not written.
"""

import pathlib
import unicodedata

from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

OUT = pathlib.Path(__file__).resolve().parents[2] / "src" / "data" / "unicode_tables.inc"
POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def bert(**on):
    off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**{**off, **on}).normalize_str


def ranges(points):
    out = []
    for c in sorted(points):
        # Ranges may run over the surrogates, which never occur in UTF-8.
        if out and (c == out[-1][1] + 1 or (c == 0xE000 and out[-1][1] == 0xD7FF)):
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def matched_by(pattern):
    split = pre_tokenizers.Split(Regex(pattern), "removed").pre_tokenize_str
    return {c for c in POINTS if not split(chr(c))}


def words():
    """\\w of the library's added tokens: where a single word's neighbour keeps it from being found."""
    tokenizer = Tokenizer(models.WordLevel({"?": 0}, unk_token="?"))
    tokenizer.add_tokens([AddedToken("\u00a7", single_word=True, normalized=False)])
    token = tokenizer.token_to_id("\u00a7")
    return {c for c in POINTS if c != 0xA7 and tokenizer.encode("\u00a7" + chr(c)).ids[0] != token}


def table(name, doc, points):
    rows = [f"{{0x{a:X}, 0x{b:X}}}," for a, b in ranges(points)]
    lines, line = [], "   "
    for row in rows:
        if len(line) + 1 + len(row) > 118:
            lines.append(line)
            line = "   "
        line += " " + row
    lines.append(line)
    return f"/// {doc}\nconstexpr CodePointRange {name}[] = {{\n" + "\n".join(lines) + "\n};\n"


def main():
    clean, cjk = bert(clean_text=True), bert(handle_chinese_chars=True)
    strip, lower = bert(strip_accents=True), bert(lowercase=True)
    decompose = normalizers.NFD().normalize_str
    split = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
    pieces = {c: len(split("a" + chr(c) + "b")) for c in POINTS}

    # A mark of class 0 stays behind U+0345 (class 240); any other comes before it.
    ordered = {c for c in POINTS if decompose("\u0345" + chr(c))[0] != "\u0345"}
    ordered.add(0x345)  # the only one of class 240
    # Python's unicodedata is Unicode 14: enough to name the characters that differ from any newer library.
    marks = {c for c in POINTS if unicodedata.combining(chr(c)) or c in ordered}

    # Lower case changes that came after Unicode 14, as runs of (first, last, offset, step).
    special = 0x130
    pairs = [(c, ord(lower(chr(c)))) for c in POINTS if c != special and lower(chr(c)) != chr(c)]
    newer = [(a, b) for a, b in pairs if chr(a).lower() != chr(b)]
    lower_rows = "".join(f"    {{0x{a:X}, 0x{b:X}}},\n" for a, b in newer)

    text = "// Made by tests/reference/unicode_tables.py from the tokenizers library. Do not edit.\n\n"
    text += table("kWhitespace", "Rust's char::is_whitespace; \\s of the library's regular expressions.",
                  {c for c in POINTS if pieces[c] == 2})
    assert {c for c in POINTS if pieces[c] == 2} == matched_by(r"\s")
    categories = {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "Pc"}
    known_words = {c for c in POINTS if unicodedata.category(chr(c)) in categories} | {0x200C, 0x200D}
    found_words = words()
    assert known_words <= found_words, sorted(known_words - found_words)
    text += table("kMoreWordCharacters", "\\w of the library beyond letters, marks, numbers and connectors of Unicode 14.",
                  found_words - known_words)
    for name, category in (("kNewLetters", "L"), ("kNewNumbers", "N")):
        known = {c for c in POINTS if unicodedata.category(chr(c))[0] == category}
        found = matched_by(f"\\p{{{category}}}")
        assert known <= found
        text += table(name, f"\\p{{{category}}} of the library's regular expressions, beyond Unicode 14.", found - known)
    text += table("kBertRemoved", "BertNormalizer's clean_text drops these.", {c for c in POINTS if clean(chr(c)) == ""})
    text += table("kBertSpace", "BertNormalizer's clean_text turns these into a space.",
                  {c for c in POINTS if clean(chr(c)) == " "})
    text += table("kBertChinese", "BertNormalizer's handle_chinese_chars surrounds these with spaces.",
                  {c for c in POINTS if cjk(chr(c)) != chr(c)})
    text += table("kBertPunctuation", "BertPreTokenizer makes a piece of each of these.",
                  {c for c in POINTS if pieces[c] == 3})
    text += table("kBertAccents", "BertNormalizer's strip_accents drops these after decomposition.",
                  {c for c in POINTS if strip(chr(c)) == ""})
    text += table("kNotDecomposed", "The library's NFD leaves these whole, newer Unicode does not.",
                  {c for c in POINTS if decompose(chr(c)) == chr(c) and unicodedata.normalize("NFD", chr(c)) != chr(c)})
    text += table("kReordered", "The marks whose combining class the library's NFD knows.", ordered & marks)
    text += "/// Lower case of the library where it knows more than utf8proc 2.8.\n"
    text += "constexpr CodePointPair kNewLowerCase[] = {\n" + lower_rows + "};\n"
    OUT.write_text(text)


if __name__ == "__main__":
    main()
