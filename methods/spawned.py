"""What a process that a method starts anew runs first: it finds the modules that the method's does.

Python runs the main module again in such a process, and the worker says that this is it.
"""

from methods import user_code

user_code.find_as_parent()
