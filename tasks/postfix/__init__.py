"""main.cf and master.cf: what they say, and how that is changed."""
