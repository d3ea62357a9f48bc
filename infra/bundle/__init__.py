"""The Lambda bundle: everything that ships. Only this package makes it.

The image's builder and the tests both run `python -m infra.bundle`. The tests then call the bundle
through the real Lambda runtime client. Python and pip are enough: no compiler, no git.
"""
