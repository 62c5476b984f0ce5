"""How the learner and the process that reads talk: a frame each way for each file.

A frame is two lengths, that of JSON and that of bytes behind it, then both; an answer has
no bytes.
"""

import struct

FRAME = struct.Struct(">II")
# Of a page's text as JSON, in which a character may take six bytes.
MAX_ANSWER_BYTES = 64 * 1024 * 1024
