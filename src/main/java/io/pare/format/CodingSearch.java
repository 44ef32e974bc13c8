package io.pare.format;

import io.pare.format.BitCoder.Meter;
import io.pare.format.PositionCoder.Way;
import io.pare.format.TensorCoder.Budget;
import io.pare.format.TensorCoder.Choice;
import io.pare.format.TensorCoder.Selection;
import io.pare.format.TensorCoder.View;

/** Finds a cheap way to code a tensor of weights, by trying; equal tensors get equal ways. */
final class CodingSearch {
    /** Decisions to spend on a tensor: some seconds. */
    private static final long EFFORT = 50_000_000;
    /** Decisions that a search over levels takes at least to be worth beginning. */
    private static final int ROUNDS = 4;

    private final CompressedTensor tensor;
    private final View view;
    private final boolean[] needed;
    private final int[] positions;
    private long effort = EFFORT;
    private Choice best;
    private double least;

    private CodingSearch(CompressedTensor tensor, View view, boolean[] needed) {
        this.tensor = tensor;
        this.view = view;
        this.needed = needed;
        this.positions = TensorCoder.positions(tensor);
    }

    /** @param thorough whether to search for weights of contexts too */
    static Choice find(CompressedTensor tensor, View view, boolean[] needed, boolean thorough) {
        return new CodingSearch(tensor, view, needed).run(thorough);
    }

    private Choice run(boolean thorough) {
        best = Choice.FLAT;
        least = Double.MAX_VALUE;
        if (!tensor.isDense() && tensor.nonzeros() > 0) {
            Way first = tensor.count() <= TensorCoder.MAX_CELLS ? Way.FLAT : Way.GAPS;
            for (Selection rows : Selection.values()) {
                for (Selection channels : Selection.values()) {
                    tryPositions(new Choice(rows, channels, first, null, null));
                }
            }
            for (Way way : Way.values()) {
                tryPositions(new Choice(best.rows(), best.channels(), way, PositionCoder.usualLevels(view), null));
            }
            if (thorough && best.way() != Way.GAPS && best.way() != Way.FLAT) {
                descend(true);
            }
        }
        if (tensor.isCoded() && ValueCoder.mixes(view, tensor.nonzeros(), tensor.bitsPerValue())) {
            least = valueBits(best);
            tryCodes(with(ValueCoder.usualLevels(view), false));
            if (thorough && best.codeLevels() != null) {
                descend(false);
            }
        }
        return best;
    }

    private Choice with(int[] levels, boolean ofPositions) {
        return new Choice(best.rows(), best.channels(), best.way(), ofPositions ? levels : best.positionLevels(),
                ofPositions ? best.codeLevels() : levels);
    }

    /** Changes one level at a time as long as that helps. */
    private void descend(boolean ofPositions) {
        boolean better = true;
        for (int round = 0; better && round < ROUNDS; round++) {
            better = false;
            int contexts = (ofPositions ? best.positionLevels() : best.codeLevels()).length;
            for (int i = 0; i < contexts; i++) {
                for (int step : new int[]{1, -1, 2, -2}) {
                    int[] levels = (ofPositions ? best.positionLevels() : best.codeLevels()).clone();
                    levels[i] += step;
                    if (levels[i] >= 0 && levels[i] <= Mixer.highestLevel()) {
                        Choice candidate = with(levels, ofPositions);
                        better |= ofPositions ? tryPositions(candidate) : tryCodes(candidate);
                    }
                }
            }
        }
    }

    private boolean tryPositions(Choice choice) {
        if (effort < 0) {
            return false;
        }
        Meter meter = new Meter();
        TensorCoder coder = new TensorCoder(meter, view, tensor.shape(), false, Budget.FREE);
        int[] rows = coder.usefulRows(tensor, needed);
        if (!coder.allows(positions, rows, choice)) {
            return false;
        }
        effort -= choice.way() == Way.GAPS ? positions.length : view.cells(rows.length, view.channels());
        coder.codePositions(positions.clone(), rows, choice);
        return take(choice, meter.total());
    }

    private boolean tryCodes(Choice choice) {
        if (effort < 0) {
            return false;
        }
        effort -= 4L * tensor.nonzeros() * tensor.bitsPerValue();
        return take(choice, valueBits(choice));
    }

    private double valueBits(Choice choice) {
        Meter meter = new Meter();
        new ValueCoder(meter, view, tensor, tensor.nonzeros()).code(tensor.shape(), positions, choice.codeLevels(),
                BitCoder.Part.CODEBOOK, BitCoder.Part.CODES);
        return meter.total();
    }

    private boolean take(Choice choice, double bits) {
        if (bits >= least) {
            return false;
        }
        least = bits;
        best = choice;
        return true;
    }
}
