"""What a study is: its typed file, its tables, its survey."""
