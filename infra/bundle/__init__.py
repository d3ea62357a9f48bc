"""The Lambda bundle: what ships, made in one place and nowhere else.

The image's builder runs `python -m infra.bundle`, and so do the tests, which then drive the folder
with the real Lambda runtime client. It needs Python's own library and pip, no compiler and no git.
"""
