"""The evidence log: Merkle tree, statements, tree heads, keys and bound observations. Pure: no file, no clock."""
