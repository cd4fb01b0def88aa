"""What files and people call themselves does nothing to the terminal it is printed on."""


def test_names_of_files_are_printed_and_not_obeyed(app, tmp_path):
    hostile = tmp_path / "a\x1b]0;owned\x07\x1b[2J.md"
    hostile.write_text("---\ntitle: [unclosed \x1b[2J\n---\nText")
    runner = app.test_cli_runner()
    answer = runner.invoke(args=["assets", "import", "--dry-run", str(tmp_path)], color=True)
    assert "1 files" in answer.output
    assert "owned" in answer.output
    assert "\x1b]" not in answer.output
    assert "\x1b[2J" not in answer.output
