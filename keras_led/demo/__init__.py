"""A page that summarizes in the browser: `keras-led demo`.

`page/` is what the browser gets, `npm/` names the programs that it stands on.
"""
