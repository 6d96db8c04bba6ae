"""SQL's LIKE with a backslash as escape, read character by character: the oracle for patterns."""


def like(text: str, pattern: str) -> bool:
    """Whether all of `text` matches. Raises ValueError for an escape of nothing."""
    return _matches(text, _tokens(pattern))


def _tokens(pattern: str) -> list[tuple[str, str]]:
    """("any", ""), ("one", "") and ("is", letter)."""
    found, letters = [], iter(pattern)
    for letter in letters:
        if letter == "\\":
            escaped = next(letters, None)
            if escaped is None or escaped not in "\\%_":
                raise ValueError("an escape of nothing that needs one")
            found.append(("is", escaped))
        else:
            found.append({"%": ("any", ""), "_": ("one", "")}.get(letter, ("is", letter)))
    return found


def _matches(text: str, tokens: list[tuple[str, str]]) -> bool:
    """By the set of places that can be reached: no backtracking."""
    reached = {0}
    for kind, wanted in tokens:
        if kind == "any":
            reached = set(range(min(reached), len(text) + 1)) if reached else set()
        else:
            reached = {
                place + 1
                for place in reached
                if place < len(text) and (kind == "one" or text[place] == wanted)
            }
    return len(text) in reached
