package io.pare.format.pare;

import io.pare.format.pare.BitCoder.Meter;
import io.pare.format.pare.PositionCoder.Way;
import io.pare.format.pare.TensorCoder.Budget;
import io.pare.format.pare.TensorCoder.Choice;
import io.pare.format.pare.TensorCoder.Selection;
import io.pare.format.pare.TensorCoder.View;
import io.pare.format.pare.ValueCoder.Kind;
import io.pare.net.CompressedTensor;
import java.util.Arrays;
import java.util.List;

/** Finds a cheap way to code a tensor, by trying; equal tensors get equal ways. */
final class CodingSearch {
    /** Decisions to spend on a tensor: a second or two. */
    private static final long EFFORT = 20_000_000;
    /** Decisions that a search over levels takes at least to be worth beginning. */
    private static final int ROUNDS = 4;

    private final CompressedTensor tensor;
    private final View view;
    private final boolean[] needed;
    private final int[] positions;
    private long effort = EFFORT;
    private Choice best = new Choice(Selection.ALL, Selection.ALL, Way.FLAT, null, null, null);
    private double least;

    private CodingSearch(CompressedTensor tensor, View view, boolean[] needed) {
        this.tensor = tensor;
        this.view = view;
        this.needed = needed;
        this.positions = TensorCoder.positions(tensor);
    }

    /** About how many bits a tensor takes, all rows being needed, without a search for the best weights of contexts. */
    static double bits(CompressedTensor tensor, View view) {
        boolean[] needed = new boolean[view.rows()];
        Arrays.fill(needed, true);
        Choice choice = find(tensor, view, needed, false, false);
        Meter meter = new Meter();
        new TensorCoder(meter, view, tensor.shape(), false, Budget.FREE).code(tensor, needed, choice);
        return meter.total();
    }

    /** @param thorough whether to search for weights of contexts too */
    static Choice find(CompressedTensor tensor, View view, boolean[] needed, boolean bias, boolean thorough) {
        CodingSearch search = new CodingSearch(tensor, view, needed);
        if (!bias && !tensor.isDense() && tensor.nonzeros() > 0) {
            search.positions(thorough);
        }
        if (tensor.nonzeros() > 0) {
            search.values(thorough && !bias);
        }
        return search.best;
    }

    private void positions(boolean thorough) {
        least = Double.MAX_VALUE;
        Way first = tensor.count() <= TensorCoder.MAX_CELLS ? Way.FLAT : Way.GAPS;
        for (Selection rows : Selection.values()) {
            tryPositions(best.positions(rows, Selection.ALL, first, null));
        }
        for (Selection channels : Selection.values()) {
            tryPositions(best.positions(best.rows(), channels, first, null));
        }
        for (Way way : Way.values()) {
            tryPositions(best.positions(best.rows(), best.channels(), way, PositionCoder.usualLevels(view)));
        }
        if (thorough && best.way() != Way.GAPS && best.way() != Way.FLAT) {
            descend(true);
        }
    }

    private void values(boolean thorough) {
        least = Double.MAX_VALUE;
        List<Kind> possible =
                Arrays.stream(Kind.values()).filter(kind -> ValueCoder.possible(tensor, kind)).toList();
        if (possible.size() == 1 && possible.getFirst() != Kind.CODEBOOK) {
            // Nothing to compare with: millions of floats need not be measured.
            best = best.values(possible.getFirst(), null);
            return;
        }
        possible.forEach(kind -> tryValues(best.values(kind, null)));
        if (best.kind() == Kind.CODEBOOK && ValueCoder.mixes(view, tensor.nonzeros(), tensor.bitsPerValue())) {
            tryValues(best.values(Kind.CODEBOOK, ValueCoder.usualLevels(view)));
            if (thorough && best.codeLevels() != null) {
                descend(false);
            }
        }
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
                        better |= ofPositions
                                ? tryPositions(best.positions(best.rows(), best.channels(), best.way(), levels))
                                : tryValues(best.values(best.kind(), levels));
                    }
                }
            }
        }
    }

    private boolean tryPositions(Choice choice) {
        if (effort < 0 && least < Double.MAX_VALUE) {
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

    private boolean tryValues(Choice choice) {
        if (effort < 0 && choice.codeLevels() != null) {
            return false;
        }
        effort -= 4L * tensor.nonzeros() * Math.min(8, tensor.bitsPerValue());
        Meter meter = new Meter();
        new ValueCoder(meter, view, tensor, tensor.nonzeros(), Budget.FREE).code(tensor.shape(), positions,
                choice.kind(),
                choice.codeLevels(), BitCoder.Part.CODEBOOK, BitCoder.Part.CODES);
        return take(choice, meter.total());
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
