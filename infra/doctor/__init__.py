"""`make doctor`: find wrong settings of sign-in with Google."""
