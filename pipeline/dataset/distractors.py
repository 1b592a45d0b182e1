"""Put related documents around the one that a question is about, so that a reader has to find the right one first.

Evidence names its document, so its offsets stay right. The question names the document, since it could be about any of
them otherwise; a document that shares its title with another one is left alone.

Source  NExtLong (arXiv 2501.12766): hard negatives around the text that matters; here whole documents by their titles
        and headings
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from pipeline.records import Category, Example, Split, make_example_id
from pipeline.stable_order import hash_fraction
from pipeline.storage.document_store import DocumentStore

QUESTION = "About “{title}”: {question}"
MAX_FILL = 0.9  # of a row's tokens that documents may take, as they are counted without the row around them


@dataclass(frozen=True)
class Shelf:
    """Documents of one category and one side of the split, with what is searched."""

    doc_ids: tuple[str, ...]
    titles: Mapping[str, str]
    headings: Mapping[str, str]  # by doc_id: title and headings as one text

    @cached_property
    def ranked(self) -> dict[str, tuple[str, ...]]:
        """The other documents for each one, those with most of its words in titles and headings first."""
        import bm25s  # takes 60 MB, and few datasets have distractors

        texts = [self.headings[doc_id] for doc_id in self.doc_ids]
        tokens = bm25s.tokenize(texts, stopwords="en", show_progress=False)
        if not tokens.vocab:
            return {}
        index = bm25s.BM25()
        index.index(tokens, show_progress=False)
        found, scores = index.retrieve(tokens, k=len(texts), show_progress=False)
        return {
            doc_id: tuple(
                self.doc_ids[rank]
                for rank, score in zip(found[place], scores[place], strict=True)
                if score > 0 and self.titles[self.doc_ids[rank]].casefold() != self.titles[doc_id].casefold()
            )
            for place, doc_id in enumerate(self.doc_ids)
        }


class Distractors:
    """Finds related documents, and puts them around the document of an example."""

    def __init__(self, store: DocumentStore, num: int, max_tokens: int, seed: int) -> None:
        """Index the documents; nothing is read if none are asked for.

        Args:
            store: The documents.
            num: How many are put around one.
            max_tokens: Of a row.
            seed: Draws the place of the right document among them.
        """
        self._store, self._num, self._seed = store, num, seed
        self._max_tokens = int(max_tokens * MAX_FILL)
        self._shelves = {key: fill_shelf(store, ids) for key, ids in group_ids(store).items()} if num else {}

    def add(self, example: Example) -> Example:
        """Return an example whose prompt shows related documents too; the same one if there are none, or no room."""
        if not self._num or len(example.doc_ids) != 1:
            return example
        doc_id = example.doc_ids[0]
        shelf = self._shelves[self._store.categories[doc_id], self._store.splits[doc_id]]
        title = shelf.titles[doc_id]
        chosen = list(self.choose(doc_id, shelf))
        if not title or not chosen or sum(other == title for other in shelf.titles.values()) > 1:
            return example
        place = int(hash_fraction(self._seed, "distractors", example.example_id) * (len(chosen) + 1))
        doc_ids = (*chosen[:place], doc_id, *chosen[place:])
        question = QUESTION.format(title=title, question=example.question)
        return replace(
            example,
            example_id=make_example_id(example.task, question, example.answer, doc_ids),
            question=question,
            doc_ids=doc_ids,
            licence=" AND ".join(sorted({self._store.licences[one] or "unknown" for one in doc_ids})),
        )

    def choose(self, doc_id: str, shelf: Shelf) -> Iterator[str]:
        """Yield the closest documents that fit whole into a row beside a document."""
        left, number = self._max_tokens - self._store.num_tokens[doc_id], 0
        for other in shelf.ranked.get(doc_id, ()):
            if number < self._num and self._store.num_tokens[other] <= left:
                number += 1
                left -= self._store.num_tokens[other]
                yield other


def group_ids(store: DocumentStore) -> dict[tuple[Category, Split | str], list[str]]:
    """Return the ids of the documents by category and side of the split, in the order of the ids."""
    groups: dict[tuple[Category, Split | str], list[str]] = {}
    for doc_id in sorted(store.in_order()):
        groups.setdefault((store.categories[doc_id], store.splits[doc_id]), []).append(doc_id)
    return groups


def fill_shelf(store: DocumentStore, doc_ids: Iterable[str]) -> Shelf:
    """Return documents with their titles and headings; each is read once."""
    titles, headings = {}, {}
    for doc_id in sorted(doc_ids, key=store.order):
        document = store[doc_id]
        titles[doc_id] = " ".join(document.title.split())
        headings[doc_id] = " ".join([document.title, *(section.path[-1] for section in document.sections)])
    return Shelf(tuple(sorted(titles)), titles, headings)
