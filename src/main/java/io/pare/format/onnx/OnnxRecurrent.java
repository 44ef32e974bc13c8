package io.pare.format.onnx;

import io.pare.net.TensorOp;
import io.pare.net.TensorOp.Cell;
import io.pare.net.TensorOp.Direction;
import io.pare.net.TensorOp.Recurrent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Recurrent layers. */
final class OnnxRecurrent {
    private static final int LENGTHS = 4;
    private static final int HIDDEN = 5;
    private static final int CELL = 6;
    private static final int PEEPHOLES = 7;

    /** The operators by their names. */
    static Map<String, OnnxOperator> table() {
        Map<String, OnnxOperator> table = new HashMap<>();
        table.put("LSTM", in -> {
            in.node().only("input_forget", 0);
            return recurrent(in, Cell.LSTM, "sigmoid", "tanh", "tanh");
        });
        table.put("GRU", in -> recurrent(in, in.node().integer("linear_before_reset", 0) != 0
                ? Cell.GRU_RESET_AFTER
                : Cell.GRU, "sigmoid", "tanh"));
        return table;
    }

    private OnnxRecurrent() {}

    private static List<OnnxValue> recurrent(OnnxCall in, Cell cell, String... functions) {
        OnnxNode node = in.node();
        OnnxValue x = in.value(0);
        boolean sampleFirst = node.integer("layout", 0) != 0;
        int samples = sampleFirst ? 0 : 1;
        if (x.rank() != 3 || x.isConstant()) {
            throw in.refuse("takes sequences and is given values of shape " + x.sizes());
        }
        if (x.batch() >= 0 && x.batch() != samples) {
            throw in.acrossSamples();
        }
        if (x.batch() < 0 && x.size(samples) != 1) {
            throw in.refuse("takes " + x.size(samples) + " samples at once");
        }
        Direction direction = direction(in);
        checkFunctions(in, direction, functions);
        int sequence = x.size(1 - samples);
        int inputs = x.size(2);
        OnnxConstant weight = in.constant(1);
        OnnxConstant recurrence = in.constant(2);
        OnnxConstant bias = in.optionalConstant(3);
        int hidden = recurrence.shape().length == 3 ? node.small("hidden_size", recurrence.shape()[2]) : 0;
        if (node.integer("hidden_size", hidden) != hidden) {
            throw in.refuse("has " + node.told("hidden_size") + " and a recurrence of shape "
                    + Arrays.toString(recurrence.shape()));
        }
        checkLengths(in, sequence);
        if (cell == Cell.LSTM && !isZero(in.optionalConstant(PEEPHOLES))) {
            throw in.refuse("has peepholes, which Pare does not support");
        }
        float[] first = state(in, HIDDEN, samples, direction.count() * hidden);
        float[] memory = cell.hasCellState() ? state(in, CELL, samples, direction.count() * hidden) : null;
        boolean stateful = first != null || memory != null;
        Recurrent op = new Recurrent(cell, inputs, hidden, direction, stateful);
        int rows = cell.gates() * hidden;
        List<float[]> tensors = new ArrayList<>(List.of(weight.decimals(), recurrence.decimals(),
                half(bias, direction.count(), rows, 0), half(bias, direction.count(), rows, rows)));
        if (stateful) {
            tensors.add(first == null ? new float[direction.count() * hidden] : first);
        }
        if (stateful && cell.hasCellState()) {
            tensors.add(memory == null ? new float[direction.count() * hidden] : memory);
        }
        OnnxValue steps = in.reshaped(x, List.of(sequence, inputs), -1);
        OnnxValue all = in.layer(cell == Cell.LSTM ? "lstm" : "gru", op, steps, tensors.toArray(float[][]::new));
        int batch = x.batch() < 0 ? -1 : 0;
        return outputs(in, all, op, sequence, sampleFirst, batch);
    }

    private static List<OnnxValue> outputs(OnnxCall in, OnnxValue all, Recurrent op, int sequence,
            boolean sampleFirst, int batch) {
        Direction direction = op.direction();
        int count = direction.count();
        // Of [directions, rows, hidden].
        OnnxValue states = OnnxShapes.transposed(in, OnnxMoves.part(in, all, 1, 0, 1, sequence), 1, 0, 2);
        List<OnnxValue> last = new ArrayList<>();
        for (int way = 0; way < count; way++) {
            OnnxValue own = OnnxMoves.part(in, all, 0, way, 1, 1);
            last.add(OnnxMoves.part(in, own, 1, direction.isReverse(way) ? 0 : sequence - 1, 1, 1));
        }
        OnnxValue end = last.size() == 1 ? last.getFirst()
                : in.apply("join", new TensorOp.Join(2, 0), all.type(), -1, last);
        List<OnnxValue> results = new ArrayList<>();
        results.add(placed(in, states, List.of(sequence, count, op.hidden()), sampleFirst ? 0 : 2, batch));
        results.add(placed(in, end, List.of(count, op.hidden()), sampleFirst ? 0 : 1, batch));
        if (op.cell().hasCellState()) {
            OnnxValue cells = OnnxMoves.part(in, all, 1, sequence, 1, 1);
            results.add(placed(in, cells, List.of(count, op.hidden()), sampleFirst ? 0 : 1, batch));
        }
        return results;
    }

    /** With the axis of samples at its place, which is one of size 1 where the whole value is one sample. */
    private static OnnxValue placed(OnnxCall in, OnnxValue x, List<Integer> sample, int axis, int batch) {
        if (batch >= 0) {
            return in.reshaped(x, sample, axis);
        }
        List<Integer> sizes = new ArrayList<>(sample);
        sizes.add(axis, 1);
        return in.reshaped(x, sizes, -1);
    }

    private static Direction direction(OnnxCall in) {
        String text = in.node().text("direction", "forward");
        return switch (text) {
            case "forward" -> Direction.FORWARD;
            case "reverse" -> Direction.REVERSE;
            case "bidirectional" -> Direction.BOTH;
            default -> throw in.refuse("has direction '" + text + "', which ONNX does not know");
        };
    }

    private static void checkFunctions(OnnxCall in, Direction direction, String... functions) {
        List<?> given = in.node().texts("activations");
        for (int i = 0; i < given.size(); i++) {
            if (!given.get(i).toString().toLowerCase(Locale.ROOT).equals(functions[i % functions.length])) {
                throw in.refuse("has activations " + given + "; Pare computes gates by Sigmoid and states by Tanh");
            }
        }
        if (!given.isEmpty() && given.size() != functions.length * direction.count()) {
            throw in.refuse("has activations " + given + " for " + direction.count() + " directions");
        }
    }

    private static void checkLengths(OnnxCall in, int sequence) {
        OnnxConstant lengths = in.optionalConstant(LENGTHS);
        for (int i = 0; lengths != null && i < lengths.count(); i++) {
            if (lengths.decimal(i) != sequence) {
                throw in.refuse("has sequences of different lengths; Pare computes all steps");
            }
        }
    }

    private static boolean isZero(OnnxConstant constant) {
        for (int i = 0; constant != null && i < constant.count(); i++) {
            if (constant.decimal(i) != 0) {
                return false;
            }
        }
        return true;
    }

    /** A state before the first step, the same for each sample; null if it is zero. */
    private static float[] state(OnnxCall in, int index, int axis, int count) {
        OnnxValue given = in.optional(index);
        if (given == null) {
            return null;
        }
        if (!given.isConstant()) {
            throw in.refuse("takes the computed value '" + in.node().input(index)
                    + "' as its first state; Pare needs a constant");
        }
        OnnxValue state = given.batch() >= 0 || given.rank() != 3 ? given : in.perSample(given, axis);
        if (isZero(state.constant())) {
            return null;
        }
        if (state.constant().count() != count) {
            throw in.refuse("has a first state of shape " + given.sizes());
        }
        return state.constant().decimals();
    }

    /** Of each direction's biases those from an offset on. */
    private static float[] half(OnnxConstant bias, int directions, int rows, int offset) {
        float[] half = new float[directions * rows];
        if (bias != null) {
            float[] both = bias.decimals();
            if (both.length != 2 * half.length) {
                throw new IllegalArgumentException("has " + both.length + " biases, needs " + 2 * half.length);
            }
            for (int way = 0; way < directions; way++) {
                System.arraycopy(both, 2 * way * rows + offset, half, way * rows, rows);
            }
        }
        return half;
    }
}
