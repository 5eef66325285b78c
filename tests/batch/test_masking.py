"""Personal data that cells show, print or raise are not in what a run leaves."""

import nbformat
from nbformat.v4 import new_code_cell, new_notebook, new_output

from cxresearch.batch.masking import mask_outputs
from cxresearch.batch.outcome import one_line, said_by


def test_every_text_of_an_output_is_masked():
    table = "<td>13800138000</td><td>0.8712</td>"
    outputs = [
        new_output("stream", name="stderr", text="bad cell: li@example.com\n"),
        new_output("display_data", data={"text/html": table, "text/plain": "13800138000", "image/png": "aGVsbG8="}),
        new_output(
            "error",
            ename="ValueError",
            evalue="could not convert '13800138000'",
            traceback=["\x1b[31mValueError\x1b[39m: \x1b[38;5;241m13800138000\x1b[39m is no score"],
        ),
    ]
    notebook = new_notebook(cells=[new_code_cell("x = '13800138000'", outputs=outputs)])
    mask_outputs(notebook)
    stream, shown, error = notebook.cells[0].outputs
    assert stream.text == "bad cell: [e-mail]\n"
    assert shown.data == {
        "text/html": "<td>[phone]</td><td>0.8712</td>",
        "text/plain": "[phone]",
        "image/png": "aGVsbG8=",
    }
    assert error.evalue == "could not convert '[phone]'"
    assert error.traceback == ["\x1b[31mValueError\x1b[39m: \x1b[38;5;241m[phone]\x1b[39m is no score"]
    nbformat.validate(notebook)


def test_the_reason_of_a_failure_is_masked():
    assert one_line("could not convert string to float:\n '\x1b[31m13800138000'") == (
        "could not convert string to float: '[phone]'"
    )
    assert said_by("ValueError", "bad: 11010519491231002X") == "ValueError: bad: [ID card]"
