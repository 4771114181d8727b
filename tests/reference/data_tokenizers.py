"""Makes tests/fixtures/data/tokenizers: tiny tokenizers of each kind and the ids that transformers gives for texts.

    python tests/reference/data_tokenizers.py            # rewrites the fixtures
    python tests/reference/data_tokenizers.py --compare build/release/tests/data_probe --count 20000   # random texts
    python tests/reference/data_tokenizers.py --compare PROBE --folders CHECKPOINT ...   # with tokenizers you have

Each folder is a checkpoint's, as far as its tokenizer goes; texts.json holds [text, ids] pairs from AutoTokenizer
(LlamaTokenizer where tokenizer_config.json is missing).
"""

import argparse
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, LlamaTokenizer
from transformers.utils import logging

logging.set_verbosity_error()
FOLDER = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "data" / "tokenizers"

CORPUS = """
The quick brown fox jumps over the lazy dog. It's what they've said: we'll see, I'm sure you'd agree, they're here.
Large language models spend a growing share of their time outside of matrix multiplication: normalization, activation,
element-wise arithmetic and memory operators. 1234567890, 3.14159, 2024-11-22, 100,000 tokens/s (and 42% more!).
def attention(query, key, value):\n    scores = query @ key.T / math.sqrt(d)\n    return softmax(scores) @ value\n
Größe, façade, naïve, Ångström, señor, coöperate, Straße, İstanbul, ǅungla, ﬁne, Ｆｕｌｌ ｗｉｄｔｈ.
Привет, мир! Как дела? Съешь же ещё этих мягких французских булок, да выпей чаю.
日本語のテキストを処理します。東京は日本の首都です。漢字とカタカナ、ひらがな。
你好，世界！自然语言处理是人工智能的一个分支。我们使用分词器。
안녕하세요 세계! 한국어 텍스트입니다. 감사합니다.
مرحبا بالعالم! هذا نص باللغة العربية. שלום עולם, זה טקסט בעברית.
नमस्ते दुनिया! यह हिन्दी पाठ है। สวัสดีชาวโลก นี่คือข้อความภาษาไทย
😀 😁 🤔 👩‍👩‍👧‍👦 🇩🇪 ❤️ ✨ — “quotes” ‘single’ … • → ≤ ∑ √ ½ ² ₃ Ⅷ ① 
    indented      with    many spaces\t\tand\ttabs   \n\n\n   and blank lines\r\n  \r\n end ======== -------- aaaaaaaa
""" * 4

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)


def write_json(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False) + "\n", encoding="utf-8")


def train(model, trainer, pre_tokenizer, normalizer=None):
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizer
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.train_from_iterator(CORPUS.split("\n"), trainer)
    return tokenizer


def gpt2(folder):
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=700, initial_alphabet=alphabet, special_tokens=["<|endoftext|>"], show_progress=False
    )
    tokenizer = train(models.BPE(), trainer, pre_tokenizers.ByteLevel(add_prefix_space=False))
    tokenizer.model.save(str(folder))
    write_json(folder / "config.json", {"model_type": "gpt2"})


def gpt2_json(folder):
    gpt2(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for path in folder.iterdir():
        path.unlink()
    tokenizer.add_tokens(["<tool>", AddedToken("<word>", single_word=True), AddedToken("<gap>", lstrip=True, rstrip=True)])
    tokenizer.save_pretrained(folder)
    write_json(folder / "config.json", {"model_type": "gpt2"})


def llama3(folder):
    split = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(LLAMA3), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=700, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    trained = train(models.BPE(), trainer, split)
    model = json.loads(trained.to_str())["model"]
    # A token that no merge makes: only ignore_merges finds it.
    model["vocab"]["Ġtokenizer"] = len(model["vocab"])
    merges = [tuple(m) for m in model["merges"]]
    tokenizer = Tokenizer(models.BPE(vocab=model["vocab"], merges=merges, ignore_merges=True))
    tokenizer.pre_tokenizer = split
    tokenizer.decoder = decoders.ByteLevel()
    specials = ["<|begin_of_text|>", "<|end_of_text|>"] + [f"<|reserved_special_token_{i}|>" for i in range(6)]
    tokenizer.add_special_tokens([AddedToken(s, special=True, normalized=False) for s in specials])
    bos = tokenizer.token_to_id("<|begin_of_text|>")
    template = processors.TemplateProcessing(
        single="<|begin_of_text|> $A", pair="<|begin_of_text|> $A <|begin_of_text|>:1 $B:1",
        special_tokens=[("<|begin_of_text|>", bos)],
    )  # fmt: skip
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), template])
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    write_json(folder / "config.json", {"model_type": "llama"})
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": "<|begin_of_text|>",
            "eos_token": "<|end_of_text|>",
        },
    )


def word_piece(folder, **options):
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    normalizer = normalizers.BertNormalizer(lowercase=options.get("do_lower_case", True))
    trainer = trainers.WordPieceTrainer(vocab_size=900, special_tokens=specials, show_progress=False)
    tokenizer = train(models.WordPiece(unk_token="[UNK]"), trainer, pre_tokenizers.BertPreTokenizer(), normalizer)
    vocab = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    (folder / "vocab.txt").write_text("".join(token + "\n" for token, _ in vocab), encoding="utf-8")
    write_json(folder / "config.json", {"model_type": "bert"})
    if options:
        write_json(folder / "tokenizer_config.json", options)


def bert(folder):
    word_piece(folder)


def bert_cased(folder):
    word_piece(folder, do_lower_case=False, tokenizer_class="BertTokenizer")


def bert_json(folder):
    word_piece(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for path in folder.iterdir():
        path.unlink()
    tokenizer.add_tokens(["FooBar", AddedToken("[tab]", normalized=False, lstrip=True)])
    tokenizer.save_pretrained(folder)
    write_json(folder / "config.json", {"model_type": "bert"})


def sentencepiece_model(folder):
    with tempfile.TemporaryDirectory() as temporary:
        corpus = pathlib.Path(temporary, "corpus.txt")
        corpus.write_text(CORPUS, encoding="utf-8")
        sentencepiece.SentencePieceTrainer.train(
            input=str(corpus), model_prefix=temporary + "/sp", vocab_size=900, model_type="bpe", byte_fallback=True,
            character_coverage=0.995, normalization_rule_name="identity", remove_extra_whitespaces=False,
            split_digits=True, allow_whitespace_only_pieces=True, user_defined_symbols=["<sym>"], minloglevel=2,
        )  # fmt: skip
        shutil.copy(temporary + "/sp.model", folder / "tokenizer.model")
    write_json(folder / "config.json", {"model_type": "llama"})


def llama(folder):
    sentencepiece_model(folder)
    config = {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "add_eos_token": False, "legacy": False}
    write_json(folder / "tokenizer_config.json", config)


def llama_legacy(folder):
    sentencepiece_model(folder)
    config = {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "add_eos_token": True, "legacy": True}
    bos = {"__type": "AddedToken", "content": "<s>", "normalized": True, "lstrip": False, "rstrip": True, "single_word": False}
    write_json(folder / "tokenizer_config.json", {**config, "bos_token": bos})


def llama_bare(folder):
    sentencepiece_model(folder)


def bert_plain(folder):
    """No spaces around Chinese characters, accents stripped without lowering."""
    word_piece(folder, do_lower_case=False, tokenize_chinese_chars=False, strip_accents=True, tokenizer_class="BertTokenizer")


def llama_no_prefix(folder):
    sentencepiece_model(folder)
    config = {"tokenizer_class": "LlamaTokenizerFast", "add_bos_token": False, "add_eos_token": True, "add_prefix_space": False}
    write_json(folder / "tokenizer_config.json", config)


def llama_json(folder):
    llama(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for path in folder.iterdir():
        path.unlink()
    tokenizer.save_pretrained(folder)
    write_json(folder / "config.json", {"model_type": "llama"})


def llama2_json(folder):
    """As Llama 2 was published: the old normalizer, used as it is by the plain class."""
    llama_json(folder)
    file = folder / "tokenizer.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    content["normalizer"] = {
        "type": "Sequence",
        "normalizers": [
            {"type": "Prepend", "prepend": "▁"},
            {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        ],
    }
    content["pre_tokenizer"] = None
    content["model"]["unk_token"] = "<unk>"
    file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast"})


def llama2_plain_json(folder):
    """The same file where LlamaTokenizer is named, which builds its own steps."""
    llama2_json(folder)
    config = {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "legacy": False}
    write_json(folder / "tokenizer_config.json", config)


def gpt2_prefix(folder):
    gpt2(folder)
    config = {"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": True, "add_bos_token": True, "pad_token": "<pad>"}
    write_json(folder / "tokenizer_config.json", config)


KINDS = [gpt2, gpt2_json, gpt2_prefix, llama3, bert, bert_cased, bert_plain, bert_json, llama, llama_legacy, llama_bare,
         llama_no_prefix, llama_json, llama2_json, llama2_plain_json]  # fmt: skip
# Small enough to be committed; the others differ from these by configuration.
COMMITTED = [gpt2, llama3, bert, bert_json, llama, llama2_json]

SPECIALS = ["<|endoftext|>", "<tool>", "<word>", "<gap>", "<|begin_of_text|>", "<|reserved_special_token_3|>", "[MASK]", "[CLS]",
            "FooBar", "foobar", "[tab]", "<s>", "</s>", "<unk>", "<sym>", "<0x41>", "▁", "Ġ"]  # fmt: skip
WORDS = CORPUS.split()
SPACES = [" ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", "\u00a0", "\u3000", "\u2028", "\u0085", "\u180e", "\u200b", "\x0b", "\x1f", " \n "]
CONTRACTIONS = ["'s", "'S", "'\u017f", "'re", "'RE", "'Ll", "'d", "'", "''ve", "’s"]
BLOCKS = [
    (0x20, 0x7F), (0x20, 0x7F), (0x01, 0x20), (0x80, 0x250), (0x300, 0x370), (0x370, 0x530), (0x590, 0x700), (0x900, 0xE80),
    (0x1100, 0x1200), (0x1680, 0x1810), (0x1AB0, 0x1B00), (0x1DC0, 0x1F00), (0x1F00, 0x2070), (0x2070, 0x2C00),
    (0x2E00, 0x3100), (0x3100, 0x4E10), (0x4E00, 0x9FFF), (0xA640, 0xAC00), (0xAC00, 0xD7A4), (0xE000, 0xE100),
    (0xF900, 0xFE30), (0xFE30, 0x10000), (0x10000, 0x12000), (0x12000, 0x17000), (0x1D000, 0x1D800), (0x1DF00, 0x1F000),
    (0x1F000, 0x1FB00), (0x20000, 0x20100), (0x2EBF0, 0x2EE60), (0x31350, 0x323B0), (0xE0000, 0xE0100), (0x10FF00, 0x110000),
]  # fmt: skip


def random_text(rng):
    out = []
    for _ in range(rng.randint(0, 25)):
        kind = rng.random()
        if kind < 0.35:
            word = rng.choice(WORDS)
            out.append(word.upper() if rng.random() < 0.1 else word[: rng.randint(1, len(word))])
        elif kind < 0.6:
            out.append(rng.choice(SPACES) * rng.choice([1, 1, 1, 2, 3, 5]))
        elif kind < 0.68:
            out.append(rng.choice(CONTRACTIONS))
        elif kind < 0.74:
            out.append(rng.choice(SPECIALS))
        elif kind < 0.8:
            out.append(str(rng.randint(0, 10**9)))
        elif kind < 0.85:
            out.append(rng.choice("=-_ a.!*x▁0") * rng.randint(2, 30))
        else:
            low, high = rng.choice(BLOCKS)
            out.append("".join(chr(rng.randrange(low, high)) for _ in range(rng.randint(1, 6))))
    return "".join(out).replace("\0", "")


def load(folder):
    bare = not (folder / "tokenizer_config.json").exists() and (folder / "tokenizer.model").exists()
    return (LlamaTokenizer if bare else AutoTokenizer).from_pretrained(folder)


def ids_of(tokenizer, texts):
    return tokenizer(texts)["input_ids"]


def write_fixtures():
    rng = random.Random(7)
    fixed = ["", " ", "Hello world", "  leading", "trailing  ", "a\n\n b", "It's they've I'LL", "x" * 120, "tokenizer tokenizer",
             "FooBar foobar", "<s>x</s> <|endoftext|>", "\u0301a e\u0301 \u212b", "12345 ①②", "東京 ﬁ İ ß", "▁▁ ▁"]  # fmt: skip
    for make in COMMITTED:
        folder = FOLDER / make.__name__
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make(folder)
        texts = fixed + [random_text(rng) for _ in range(60)]
        pairs = list(zip(texts, ids_of(load(folder), texts)))
        lines = ",\n".join(json.dumps(pair, separators=(",", ":")) for pair in pairs)
        (folder / "texts.json").write_text(f"[\n{lines}\n]\n")


def compare(probe, name, folder, count, seed):
    """Whether the ids of `count` random texts are the same."""
    rng = random.Random(seed)
    texts = [random_text(rng) for _ in range(count)]
    expected = ids_of(load(folder), texts)
    with tempfile.TemporaryDirectory() as temporary:
        given, result = pathlib.Path(temporary, "in"), pathlib.Path(temporary, "out")
        given.write_bytes(b"".join(t.encode() + b"\0" for t in texts))
        run = subprocess.run([probe, "tokenize", folder, given, result], capture_output=True, text=True)
        if run.returncode != 0:
            sys.exit(f"{name}: {run.stderr}")
        ours = [[int(v) for v in line.split()] for line in result.read_text().split("\n")[:-1]]
    assert len(ours) == len(texts)
    wrong = [i for i in range(count) if ours[i] != expected[i]]
    print(f"{name:17} {count - len(wrong)} of {count} texts with the same ids, {sum(map(len, expected))} tokens", flush=True)
    for i in wrong[:3]:
        print("  ", ascii(texts[i]), "\n  ours  ", ours[i], "\n  theirs", expected[i])
    return not wrong


def compare_kinds(probe, count, seed):
    same = True
    for make in KINDS:
        with tempfile.TemporaryDirectory() as name:
            make(pathlib.Path(name))
            same = compare(probe, make.__name__, pathlib.Path(name), count, seed) and same
    return same


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--compare", metavar="PROBE")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folders", nargs="*", type=pathlib.Path, help="compare these instead of the kinds made here")
    arguments = parser.parse_args()
    if arguments.compare and arguments.folders:
        same = [compare(arguments.compare, f.name, f, arguments.count, arguments.seed) for f in arguments.folders]
        sys.exit(not all(same))
    elif arguments.compare:
        sys.exit(not compare_kinds(arguments.compare, arguments.count, arguments.seed))
    else:
        write_fixtures()
