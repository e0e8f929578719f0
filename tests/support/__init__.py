"""What tests of several folders share: doubles, and makers of scenes."""
