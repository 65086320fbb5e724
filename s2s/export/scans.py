"""Light cells as graphs: torch's exporter cannot write the graph of one step that ONNX's `Scan` runs over time."""

from pathlib import Path

DOMAIN = "s2s"
"""What `s2s.nn.light` names as the origin of a `Scan` that lacks this graph."""


def complete_scans(path: Path) -> None:
    """Give each `Scan` of a light cell in an ONNX file the graph of its step; a file that has none stays as it is."""
    import onnx
    from onnx import TensorProto, helper

    model = onnx.load(path)
    scans = [node for node in model.graph.node if node.domain == DOMAIN]
    if not scans:
        return
    names = ("before", "keep", "added", "after", "output")
    values = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names}
    nodes = [
        helper.make_node("Mul", ["keep", "before"], ["kept"]),
        helper.make_node("Add", ["kept", "added"], ["after"]),
        helper.make_node("Identity", ["after"], ["output"]),  # a step gives its state twice: on, and out
    ]
    inputs, outputs = ([values[name] for name in side] for side in (names[:3], names[3:]))
    step = helper.make_graph(nodes, "step", inputs, outputs)
    for node in scans:
        node.domain = ""
        node.attribute.append(helper.make_attribute("body", step))
    kept = [one for one in model.opset_import if one.domain != DOMAIN]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    onnx.save(model, path)
