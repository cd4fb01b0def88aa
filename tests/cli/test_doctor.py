"""`flask doctor` finds what is wrong and says what to do."""


def test_it_names_faults_and_remedies(app):
    found = app.test_cli_runner().invoke(args=["doctor"])
    assert found.exit_code == 1
    assert "schema: revision None" in found.output
    assert "flask db upgrade" in found.output
    assert "No process has given a sign of life" in found.output


def test_it_sees_an_open_data_directory(app, data_home):
    data_home.chmod(0o755)
    try:
        found = app.test_cli_runner().invoke(args=["doctor"])
    finally:
        data_home.chmod(0o700)
    assert "open to every user" in found.output
    assert "open to every user" not in app.test_cli_runner().invoke(args=["doctor"]).output
