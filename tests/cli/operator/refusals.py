def is_one_line(result, words, exit_code=1):
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert result.stderr.startswith("lethe: ")
    assert result.stderr.count("\n") == 1
    assert words in result.stderr
    return True
