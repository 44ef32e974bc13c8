package io.pare.run;

import io.pare.compress.constraint.Budget;

/**
 * What became of a budget.
 *
 * @param quantity of which it is, such as {@code latency}
 * @param unit of the figures
 * @param allowed what was asked for; 0 where only {@code measured} was
 * @param promised what was forecast before anything was trained; 0 where nothing was
 * @param measured of the network that was written: counted, or of a latency timed
 */
public record BudgetRow(Budget.Quantity quantity, String unit, double allowed, double promised, double measured) {
    /** {@return whether the network costs no more than was asked for} */
    public boolean holds() {
        return allowed == 0 || measured <= allowed;
    }
}
