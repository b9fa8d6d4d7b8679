"""Approvals: nothing that needs two people goes out by the word of one."""
