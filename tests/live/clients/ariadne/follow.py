"""The generated client at work: `python follow.py URL TOKEN`, beside the package `portal_client`.
Prints one JSON object of what it was told."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any
from uuid import uuid4

from portal_client import AddCaseCommentInput, CaseEventKind, CaseStatus, Client  # type: ignore[import-not-found]


async def told(url: str, token: str) -> dict[str, Any]:
    who = {"authorization": f"Bearer {token}"}
    ws_url = url.replace("http", "ws", 1)
    async with Client(url, who, ws_url=ws_url, ws_connection_init_payload=who) as portal:
        cases = (await portal.latest_cases(first=3, statuses=[CaseStatus.IN_PROGRESS])).cases
        case = cases.nodes[0]
        following = (
            one.case_changed
            async for one in portal.follow(case.id)
            if one.case_changed.event is CaseEventKind.COMMENTED
        )
        coming = asyncio.create_task(anext(following))
        said = []
        # Nothing tells that a subscription has begun, so more than one comment may be needed.
        while not coming.done():
            entry = AddCaseCommentInput(case_id=case.id, body=f"Said by {uuid4()}")
            said.append((await portal.say(entry)).add_case_comment.comment.body == entry.body)
            await asyncio.wait([coming], timeout=1)
        change = coming.result()
        timeline = (await portal.happened(case.id)).node.timeline
        return {
            "numbers": [one.number for one in cases.nodes],
            "year": case.created_at.year,
            "said": all(said),
            "event": change.event,
            "same": change.case.id == case.id,
            "latest": timeline.nodes[-1].typename__,
        }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(asyncio.wait_for(told(*sys.argv[1:]), 60))))
