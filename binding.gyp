{ "includes": ["native/thalweg.gypi"] }
