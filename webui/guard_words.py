"""What allowing and refusing means for each kind of guard: English, Chinese."""

from collections.abc import Mapping

Pair = tuple[str, str]

ALLOW: Mapping[str, Pair] = {
    "deletes": ("Allow: the deletes were meant", "放行：确实要删除"),
    "delete": ("Allow: delete it in the other systems, too", "放行：在其他系统中同步删除"),
    "changes": ("Allow: the change was meant", "放行：确实要变更"),
    "flipflop": ("Write again: the cause is mended", "恢复写入：原因已解决"),
    "drift": ("Accept it: try writing as it is now", "接受变化：按现状尝试写入"),
}
REFUSE: Mapping[str, Pair] = {
    "deletes": ("Refuse: keep everything", "拒绝：保留全部记录"),
    "delete": ("Refuse: keep it in the other systems", "拒绝：保留其他系统中的记录"),
    "changes": ("Refuse: drop the change", "拒绝：放弃该变更"),
    "flipflop": ("Leave each side its own form", "双方各自保留自己的值"),
    "drift": ("Look again: it is mended", "重新检查：已经修好"),
}
